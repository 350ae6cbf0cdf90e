import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readOnnxModel } from '../packages/onnx/src/index.ts';
import type { CompressResult } from '../packages/pipeline/src/compressRequest.ts';
import { hashResult } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
let text = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-threads-'));
  text = join(folder, 'text.txt');
  const words = Array.from({ length: 400 }, (_, i) => ['once', 'upon', 'a', 'time', 'tree'][(i * i) % 5]);
  await writeFile(text, words.join(' '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// With a text to measure on, the perplexities in quern.json are compared too.
it.each([
  { actOrder: false, measured: true },
  { actOrder: true, measured: false },
])('gptq gives the same bytes with 1, 2 and 4 worker threads: %j', async ({ actOrder, measured }) => {
  const recipe = join(folder, `${actOrder}.yaml`);
  const lines = [
    'bits: 3',
    `options: { actOrder: ${actOrder} }`,
    'exclude: ["model.layers.{2,3,4,5}.*"]',
    'calibration: { windows: 16, windowLength: 32 }',
  ];
  await writeFile(recipe, lines.join('\n'));
  const flags = ['--recipe', recipe, '--evaluate', measured ? text : 'none', '--device', 'cpu'];
  const results = [];
  for (const threads of ['1', '2', '4']) {
    const out = join(folder, `${actOrder}-${threads}`);
    expect(await runQuern('compress', demo, '--out', out, ...flags, '--threads', threads)).toMatchObject({ code: 0 });
    results.push(hashResult(out));
  }
  expect(Object.keys(results[0]!)).toContain('onnx/model_q4.onnx_data');
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

it('a dictionary method has the same bytes and the same curves with 1 and 2 workers, and report draws them', async () => {
  const recipe = join(folder, 'dictionary.yaml');
  const lines = [
    'method: compot',
    'ratio: 0.3',
    'options: { sweeps: 3 }',
    'exclude: ["model.layers.{1,2,3,4,5}.*"]',
    'calibration: { windows: 8, windowLength: 32 }',
  ];
  await writeFile(recipe, lines.join('\n'));
  const out = (threads: string): string => join(folder, `dictionary-${threads}`);
  for (const threads of ['1', '2']) {
    const flags = ['--recipe', recipe, '--evaluate', 'none', '--device', 'cpu'];
    const run = await runQuern('compress', demo, '--out', out(threads), ...flags, '--threads', threads);
    expect(run).toMatchObject({ code: 0 });
  }
  expect(hashResult(out('2'))).toEqual(hashResult(out('1')));
  const manifestOf = async () => JSON.parse(await readFile(join(out('1'), 'quern.json'), 'utf8')) as CompressResult;
  const { sites } = await manifestOf();
  expect(sites).toHaveLength(7);
  for (const { convergence, relativeOutputError } of sites) {
    expect(convergence!.objectives).toHaveLength(5);
    expect(Math.sqrt(convergence!.objectives.at(-1)!) / relativeOutputError!).toBeCloseTo(1, 3);
  }
  const drawn = await runQuern('report', out('1'));
  expect(drawn).toMatchObject({ code: 0 });
  const page = await readFile(join(out('1'), 'report.html'), 'utf8');
  expect(page).toMatch(/Convergence: q_proj: .* in 4 measurements, .* as stored \(1 site\)/);
  expect((await manifestOf()).files).toContainEqual({ path: 'report.html', bytes: Buffer.byteLength(page) });
});

it('sites that are one weight have the same bytes with 1 and 2 workers, and one dictionary each', async () => {
  const recipe = join(folder, 'stacks.yaml');
  const lines = [
    'method: dictionary',
    'ratio: 0.4',
    'allocation: uniform',
    'options: { sweeps: 3, atomsPerNonzero: 3 }',
    'exclude: ["model.layers.{1,2,3,4,5}.*"]',
    // Asked for less, it stands alone.
    'rules: [{ sites: model.layers.0.attn.v_proj, ratio: 0.2 }]',
    'storage: container',
    'calibration: { windows: 8, windowLength: 32 }',
  ];
  await writeFile(recipe, lines.join('\n'));
  const out = (threads: string): string => join(folder, `stacks-${threads}`);
  for (const threads of ['1', '2']) {
    const flags = ['--recipe', recipe, '--evaluate', 'none', '--device', 'cpu'];
    const run = await runQuern('compress', demo, '--out', out(threads), ...flags, '--threads', threads);
    expect(run).toMatchObject({ code: 0 });
  }
  expect(hashResult(out('2'))).toEqual(hashResult(out('1')));
  const model = await readOnnxModel(join(out('1'), 'onnx', 'model.onnx'));
  const shared = model.proto.graph!.initializer.filter(({ name }) => name.startsWith('basis_'));
  // Of queries and keys, of gate and up, of what writes to the residual stream.
  expect(shared).toHaveLength(3);
});
