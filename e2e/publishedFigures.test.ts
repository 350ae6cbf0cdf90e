import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { demo, hasOutside, outside, runQuern } from './runQuern.ts';

interface Evaluated {
  readonly perplexity: number;
  readonly tokenCount: number;
  readonly bitsPerByte: number;
}

async function evaluate(model: string, data: string): Promise<Evaluated> {
  const run = await runQuern('evaluate', model, '--data', data, '--per-document', '--device', 'cpu', '--json');
  expect(run.code).toBe(0);
  return JSON.parse(run.stdout) as Evaluated;
}

// Measured outside this project, with other forward passes and other encoders, on the same texts.
describe.skipIf(!hasOutside)('quern evaluate --per-document on published checkpoints', () => {
  it.each([
    ['stories260K-llama', 83023, 4.7035, 1.138],
    ['tinystories-656k-llama', 43151, 29.003, 1.25],
    ['babyllama-105-llama', 51000, 2.237, 1.14],
  ])('%s', async (name, tokenCount, perplexity, bitsPerByte) => {
    const data = join(outside, 'text', 'tinystories_eval.txt.gz');
    const result = await evaluate(join(outside, 'models', name), data);
    expect(result.tokenCount).toBe(tokenCount);
    expect(Math.abs(result.perplexity - perplexity)).toBeLessThan(5e-4);
    expect(Math.abs(result.bitsPerByte - bitsPerByte)).toBeLessThan(5e-4);
  });
});

describe('quern evaluate --per-document on the demo model', () => {
  it.each([
    ['stories', 10672, 33.1302, 1.5797],
    ['prose', 5100, 34.9539, 1.4881],
    ['code', 3315, 15.866, 1.3715],
  ])('%s', async (set, tokenCount, perplexity, bitsPerByte) => {
    const result = await evaluate(demo, set);
    expect(result.tokenCount).toBe(tokenCount);
    expect(Math.abs(result.perplexity - perplexity)).toBeLessThan(2e-3);
    expect(Math.abs(result.bitsPerByte - bitsPerByte)).toBeLessThan(1e-4);
  });
});
