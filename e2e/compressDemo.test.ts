import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, type Run, runQuern } from './runQuern.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-demo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Reads no activations: quick. */
const RTN = ['--method', 'rtn', '--device', 'cpu'];

interface Result {
  output: string;
  files: { path: string; bytes: number }[];
  storage: { originalBytes: number; compressedBytes: number; storedBytes: number; bitsPerWeight: number };
  sites: { name: string; nominalBits: number; storageBits: number }[];
  perplexity: { before: number; after: number; exact: number; nllDifference: number; tokenCount: number } | null;
}

function parse(run: Run): Result {
  expect(run.stderr).not.toContain('quern:');
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout) as Result;
}

/** Elements of the demo's linear weights: q, o 256 x 256; k, v 128 x 256; gate, up, down 768 x 256; six blocks. */
const ELEMENTS = 6 * (2 * 256 * 256 + 2 * 128 * 256 + 3 * 768 * 256);

describe('compress models/demo --method rtn --bits 4', () => {
  let result: Result;
  beforeAll(async () => {
    result = parse(await runQuern('compress', demo, '--out', join(folder, 'q4'), ...RTN, '--bits', '4', '--json'));
  });

  it('writes a folder in transformers.js layout and a manifest', async () => {
    const paths = result.files.map(file => file.path).sort();
    expect(paths).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'onnx/model_q4.onnx',
      'onnx/model_q4.onnx_data',
      'quern.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    for (const { path, bytes } of result.files) expect((await stat(join(folder, 'q4', path))).size).toBe(bytes);
    expect(await readdir(join(folder, 'q4'))).not.toContain('.quern-run');
  });

  it('counts the bytes of the solved sites: 4 bits and a float16 scale for every 32 weights', () => {
    expect(result.storage.storedBytes).toBe((ELEMENTS * 4.5) / 8);
    expect(result.storage.bitsPerWeight).toBe(4.5);
    expect(result.sites).toHaveLength(42);
    const graph = result.files.filter(file => file.path.startsWith('onnx/'));
    expect(result.storage.compressedBytes).toBe(graph.reduce((sum, file) => sum + file.bytes, 0));
  });

  it('keeps embedding and head, shared, in 8 bits', () => {
    const data = result.files.find(file => file.path === 'onnx/model_q4.onnx_data')!.bytes;
    const head = (4096 * 256 * 8.5) / 8;
    const norms = 13 * 256 * 2;
    const rest = data - result.storage.storedBytes - head - norms;
    expect(rest).toBeGreaterThanOrEqual(-norms); // norms may stand in the header
    expect(rest).toBeLessThan(42 * 3 * 64); // alignment only
  });

  it('scores the written file, and `evaluate` finds the same figures', async () => {
    const run = await runQuern('evaluate', join(folder, 'q4'), '--baseline', demo, '--json');
    const evaluation = JSON.parse(run.stdout) as {
      perplexity: number;
      exact: number;
      baseline: { perplexity: number; nllDifference: number; klDivergence: number; topAgreement: number };
    };
    const { perplexity } = result;
    expect(evaluation.perplexity).toBeCloseTo(perplexity!.after, 9);
    expect(evaluation.exact).toBeCloseTo(perplexity!.exact, 9);
    expect(evaluation.baseline.perplexity).toBeCloseTo(perplexity!.before, 9);
    expect(evaluation.baseline.nllDifference).toBeCloseTo(perplexity!.nllDifference, 9);
    expect(Math.log(perplexity!.after / perplexity!.before)).toBeCloseTo(perplexity!.nllDifference, 9);
    expect(evaluation.baseline.klDivergence).toBeGreaterThan(0);
    expect(evaluation.baseline.topAgreement).toBeLessThan(1);
  });

  it('gives the same bytes again', async () => {
    parse(
      await runQuern(
        'compress',
        demo,
        '--out',
        join(folder, 'again'),
        ...RTN,
        '--bits',
        '4',
        '--evaluate',
        'none',
        '--json',
      ),
    );
    for (const name of ['model_q4.onnx', 'model_q4.onnx_data']) {
      expect(await sha256(join(folder, 'again', 'onnx', name))).toBe(await sha256(join(folder, 'q4', 'onnx', name)));
    }
  });
});

it('reports nominal and stored width of what has no container of its own', async () => {
  const plan = (await runQuern('plan', demo, '--bits', '3', '--group-size', '128', '--json')).stdout;
  const { sites, bitsPerWeight } = JSON.parse(plan) as { sites: { nominalBits: number }[]; bitsPerWeight: number };
  expect(new Set(sites.map(site => site.nominalBits))).toEqual(new Set([3]));
  expect(bitsPerWeight).toBe(4 + 16 / 128);
});

it('plans exactly what it then writes', async () => {
  const flags = [
    ...RTN,
    '--bits',
    '5',
    '--group-size',
    'channel',
    '--exclude',
    '*.down_proj',
    '--evaluate',
    'none',
    '--json',
  ];
  const dry = await runQuern('compress', demo, '--out', join(folder, 'dry'), ...flags, '--dry-run');
  const plan = JSON.parse(dry.stdout) as { storedBytes: number; sites: { name: string; storageBits: number }[] };
  expect(await readdir(folder)).not.toContain('dry');
  const result = parse(await runQuern('compress', demo, '--out', join(folder, 'q5'), ...flags));
  expect(result.storage.storedBytes).toBe(plan.storedBytes);
  expect(result.sites.map(site => [site.name, site.storageBits])).toEqual(
    plan.sites.map(site => [site.name, site.storageBits]),
  );
  expect(result.sites.some(site => site.name.endsWith('down_proj'))).toBe(false);
});

it('writes plain fp16 and fp32', async () => {
  const half = parse(
    await runQuern(
      'compress',
      demo,
      '--out',
      join(folder, 'h'),
      '--method',
      'none',
      '--dtype',
      'fp16',
      '--device',
      'cpu',
      '--json',
    ),
  );
  const full = parse(
    await runQuern('compress', demo, '--out', join(folder, 'f'), '--method', 'none', '--device', 'cpu', '--json'),
  );
  const bytes = (result: Result, path: string) => result.files.find(file => file.path === path)!.bytes;
  expect(bytes(half, 'onnx/model_fp16.onnx_data') / bytes(full, 'onnx/model.onnx_data')).toBeCloseTo(0.5, 2);
  expect(full.perplexity!.after).toBeCloseTo(full.perplexity!.before, 4);
  expect(Math.abs(half.perplexity!.nllDifference)).toBeLessThan(1e-3);
});

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
