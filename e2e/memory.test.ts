import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { shapes } from '../tools/syntheticCheckpoint/shapes.ts';
import { writeSyntheticCheckpoint } from '../tools/syntheticCheckpoint/writeSyntheticCheckpoint.ts';
import { demo, root } from './runQuern.ts';

/** Ten blocks of 23 MB in float32, a table of 67 MB: 300 MB together. */
const shape = {
  ...shapes.wide2048!,
  blockCount: 10,
  hiddenSize: 512,
  intermediateSize: 3072,
  headCount: 8,
  vocabularySize: 32768,
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-memory-'));
  await writeSyntheticCheckpoint(join(folder, 'model'), shape, demo);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Peak of a process of its own, in MB, above what it had before it scored. */
async function peakOf(score: string): Promise<number> {
  const at = (path: string) => JSON.stringify(pathToFileURL(join(root, 'packages', path)).href);
  const script = `
    import { importCheckpoint } from ${at('importer/src/index.ts')};
    import { findBlockCuts } from ${at('onnx/src/index.ts')};
    import { scoreContinuations, scoreWindows } from ${at('evaluator/src/index.ts')};
    import { keepBaseline, keepStates } from ${at('pipeline/src/forward/keepBaseline.ts')};
    import { openBaseline } from ${at('pipeline/src/forward/openBaseline.ts')};
    import { scoreByBlocks } from ${at('pipeline/src/forward/scoreByBlocks.ts')};
    import { continuationsByBlocks } from ${at('pipeline/src/tasks/continuationsByBlocks.ts')};
    const { model } = await importCheckpoint(${JSON.stringify(join(folder, 'model'))}, { dtype: 'fp32' });
    const chain = { model, cuts: findBlockCuts(model) };
    const windows = [{ ids: Int32Array.from({ length: 64 }, (_, at) => at), firstScored: 1 }];
    const answers = [40, 50].map(ending => ({ ids: Int32Array.from({ length: 60 }, (_, at) => (at < 30 ? at : at + ending)), firstScored: 30 }));
    const task = { definition: { id: '' }, data: { sha256: '' }, windows: answers, requests: [[0, 1]] };
    const context = { device: 'cpu', stage: 'evaluate result', request: {}, emit: () => undefined };
    const options = { device: 'cpu', scratch: ${JSON.stringify(join(folder, 'hidden'))}, sliceBytes: 8e6 };
    const variantOf = async kept => (await openBaseline(kept, model, { device: 'cpu' })).of(model);
    const kept = ${JSON.stringify(join(folder, 'kept'))};
    const before = process.resourceUsage().maxRSS;
    await ${score};
    console.log((process.resourceUsage().maxRSS - before) / 1000);`;
  const file = join(folder, 'score.mjs');
  await writeFile(file, script);
  return Number((await promisify(execFile)(process.execPath, [file])).stdout);
}

it('scores block by block in the memory of a block, not of the model', async () => {
  const whole = await peakOf('scoreWindows(model, windows, options)');
  const blocks = await peakOf('scoreByBlocks(chain, windows, options)');
  expect(whole).toBeGreaterThan(300);
  expect(blocks).toBeLessThan(200);
});

it('compares with a baseline in the memory of a block, not of two models', async () => {
  const whole = await peakOf('scoreWindows(model, windows, { ...options, baseline: model })');
  const blocks = await peakOf('scoreByBlocks(chain, windows, { ...options, baseline: chain })');
  expect(whole).toBeGreaterThan(600);
  expect(blocks).toBeLessThan(220);
});

it('measures variants in the memory of a block, not of the model', async () => {
  const whole = await peakOf('variantOf(await keepBaseline(model, windows, kept, options))');
  const blocks = await peakOf('variantOf(await keepStates(chain, windows, kept, options))');
  expect(whole).toBeGreaterThan(400);
  expect(blocks).toBeLessThan(300);
});

it('scores tasks in the memory of a block, not of the model', async () => {
  const whole = await peakOf('scoreContinuations(model, task.windows, task.requests, options)');
  const blocks = await peakOf('continuationsByBlocks(chain, task, context)');
  expect(whole).toBeGreaterThan(300);
  expect(blocks).toBeLessThan(220);
});
