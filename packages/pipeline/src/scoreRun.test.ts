import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyRemaining, createWeightStore, readOnnxModel, writeOnnxModel } from '@quern/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineEvent } from './events.ts';
import { importModel } from './importModel.ts';
import { openModel } from './open/openModel.ts';
import type { PreparedText } from './open/prepareText.ts';
import { type RecipeInput, resolveRecipe } from './recipe.ts';
import type { CompressRun } from './run.ts';
import { scoreBefore, scoreWritten } from './scoreRun.ts';
import { compressEmbeddings } from './solve/compressEmbeddings.ts';
import { openResultStore } from './solve/resultStore.ts';

const demo = join(import.meta.dirname, '..', '..', '..', 'models', 'demo');

let folder = '';
let graph = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-score-'));
  await importModel(demo, join(folder, 'onnx'), false);
  graph = join(folder, 'onnx', 'onnx', 'model.onnx');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Two windows of made-up tokens. */
function text(shift = 0): PreparedText {
  const windows = [0, 1].map(window => ({
    ids: Int32Array.from({ length: 12 }, (_, i) => 3 + shift + 11 * i + window),
    firstScored: 1,
  }));
  const sizes = { byteCount: 40, byteCounts: Int32Array.of(20, 20), wordCounts: Int32Array.of(4, 4) };
  return { data: { id: 'made-up', sha256: 'none', sources: [] }, windows, windowLength: 12, stride: 12, ...sizes };
}

async function prepare(results: string, recipe: RecipeInput = {}): Promise<CompressRun & { events: PipelineEvent[] }> {
  const resolved = resolveRecipe(recipe);
  const events: PipelineEvent[] = [];
  const run = {
    request: { model: demo, recipe: resolved },
    opened: await openModel(demo, { dtype: resolved.dtype }),
    plans: [],
    origin: { dtype: resolved.dtype },
    device: 'cpu',
    results: await openResultStore(join(folder, results)),
    events,
    emit: (event: PipelineEvent) => void events.push(event),
    signal: undefined,
  };
  return run as unknown as CompressRun & { events: PipelineEvent[] };
}

describe('the original', () => {
  it('is scored once for a run and its resumption, but again for other tokens', async () => {
    const first = await prepare('before');
    const scores = await scoreBefore(first, text());
    expect([...scores.tokenCounts]).toEqual([11, 11]);
    expect(first.events.some(event => event.kind === 'progress')).toBe(true);

    const resumed = await prepare('before');
    expect(await scoreBefore(resumed, text())).toEqual(scores);
    expect(resumed.events).toEqual([]);

    const other = await scoreBefore(resumed, text(1));
    expect(resumed.events).not.toEqual([]);
    expect(other.nll[0]).not.toBe(scores.nll[0]);
  });

  it('is scored in single precision whatever the result will be', async () => {
    const single = await scoreBefore(await prepare('single'), text());
    const half = await scoreBefore(await prepare('half', { dtype: 'fp16' }), text());
    expect(half.nll).toEqual(single.nll);
  });
});

it('reports no change for a file that holds the same model', async () => {
  const run = await prepare('written');
  const before = await scoreBefore(run, text());
  const report = await scoreWritten(run, text(), before, graph);
  const perplexity = Math.exp((before.nll[0]! + before.nll[1]!) / 22);
  expect(report).toMatchObject({ data: 'made-up', windowLength: 12, stride: 12, tokenCount: 22 });
  expect(report.before).toBeCloseTo(perplexity, 9);
  expect(report.after).toBeCloseTo(perplexity, 4);
  expect(report.exact).toBe(report.after);
  expect(Math.abs(report.nllDifference)).toBeLessThan(1e-6);
  expect(report.nllDifferenceStandardError).toBeLessThan(1e-6);
  expect(report.standardError).toBeGreaterThan(0);
});

it('scores exactly a file in which only the head has n-bit kernels', async () => {
  const run = await prepare('head', { headBits: 4 });
  const model = await readOnnxModel(graph);
  const headFolder = join(folder, 'head-only');
  const store = createWeightStore({ folder: headFolder, fileName: 'data' });
  await compressEmbeddings(model, run.request.recipe, store, {
    isExcluded: () => false,
    heads: new Set(),
  });
  await copyRemaining(model, store, { fold: false });
  await store.close();
  await writeOnnxModel({ proto: model.proto, folder: headFolder }, join(headFolder, 'model.onnx'));
  const before = await scoreBefore(run, text());
  const report = await scoreWritten(run, text(), before, join(headFolder, 'model.onnx'));
  expect(run.events).toContainEqual(expect.objectContaining({ stage: 'evaluate exactly' }));
  expect(report.exact).not.toBe(report.after);
});
