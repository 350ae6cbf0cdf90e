import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScoreOptions, scoreWindows, summarizeScores } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import { type OnnxModel, readOnnxModel, withAccuracyLevel } from '@quern/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordFigures } from '../../tools/gpu/recordFigures.ts';
import { useGpu } from '../../tools/gpu/useGpu.ts';
import { demo, runQuern } from '../runQuern.ts';

const gpu = await useGpu();
// SwiftShader takes 0.1 s a token.
const [windowCount, windowLength] = gpu?.kind === 'hardware' ? [64, 256] : [2, 8];
const windows = Array.from({ length: windowCount }, (_, window) => ({
  ids: Int32Array.from({ length: windowLength }, (_, token) => 3 + ((window * 131 + token * token * 17) % 900)),
  firstScored: 1 + (window % 2),
}));

let folder = '';
let original: OnnxModel;
let rounded: OnnxModel;
beforeAll(async () => {
  if (gpu === null) return;
  folder = await mkdtemp(join(tmpdir(), 'quern-devices-'));
  const model = join(folder, 'demo');
  await cp(demo, model, { recursive: true });
  const out = join(folder, 'rtn');
  const run = await runQuern(
    'compress',
    model,
    '--out',
    out,
    '--method',
    'rtn',
    '--evaluate',
    'none',
    '--device',
    'cpu',
  );
  expect(run.stderr + run.stdout).toContain('onnx');
  expect(run.code).toBe(0);
  original = (await importCheckpoint(demo, { dtype: 'fp32' })).model;
  rounded = withAccuracyLevel(await readOnnxModel(join(out, 'onnx', 'model_q4.onnx')), 0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function figures(model: OnnxModel, options: ScoreOptions) {
  const scores = await scoreWindows(model, windows, options);
  return summarizeScores(scores, { byteCounts: scores.tokenCounts, wordCounts: scores.tokenCounts });
}

/** |a / b - 1|. */
const distance = (a: number, b: number) => Math.abs(a / b - 1);

describe.skipIf(gpu === null)('scoring with WebGPU', () => {
  it('finds the perplexity that the CPU finds, to 0.1 %', async () => {
    const cpu = await figures(original, { device: 'cpu' });
    const webgpu = await figures(original, { device: 'webgpu' });
    expect(webgpu.tokenCount).toBe(cpu.tokenCount);
    await recordFigures(gpu, 'perplexity', { cpu: cpu.perplexity, webgpu: webgpu.perplexity });
    expect(distance(webgpu.perplexity, cpu.perplexity)).toBeLessThan(1e-3);
    // In fact float32 on both: far closer.
    expect(distance(webgpu.nllSum, cpu.nllSum)).toBeLessThan(1e-5);
  });

  it('compares 4-bit kernels, with exact arithmetic, with a baseline as the CPU does', async () => {
    const cpu = await figures(rounded, { device: 'cpu', baseline: original });
    const webgpu = await figures(rounded, { device: 'webgpu', baseline: original });
    await recordFigures(gpu, '4 bits against float32', { cpu, webgpu });
    expect(distance(webgpu.perplexity, cpu.perplexity)).toBeLessThan(1e-3);
    expect(distance(webgpu.baseline!.perplexity, cpu.baseline!.perplexity)).toBeLessThan(1e-3);
    expect(distance(webgpu.baseline!.klDivergence, cpu.baseline!.klDivergence)).toBeLessThan(1e-3);
    expect(distance(webgpu.calibrationError, cpu.calibrationError)).toBeLessThan(1e-2);
    expect(Math.abs(webgpu.baseline!.topFiveAgreement - cpu.baseline!.topFiveAgreement)).toBeLessThan(0.01);
    expect(Math.abs(webgpu.accuracy - cpu.accuracy)).toBeLessThan(0.01);
  });
});
