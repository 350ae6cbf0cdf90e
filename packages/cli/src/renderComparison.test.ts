import type { Comparison, ComparisonRow } from '@quern/pipeline';
import { expect, it } from 'vitest';
import { renderComparison } from './renderComparison.ts';

const row: ComparisonRow = {
  method: 'gptq:3+lowrank',
  ratio: null,
  options: {},
  storedBytes: 523_000,
  bitsPerWeight: 5.3229,
  relativeOutputError: 0.0322,
  perplexity: 54.23,
  standardError: 1.538,
  klDivergence: 0.0153,
  nllDifference: 0.0148,
  nllDifferenceStandardError: 0.0019,
  scores: null,
  solveMs: 17_000,
  sites: [],
  failure: null,
};
const failure =
  'model.layers.0.attn.q_proj: the Gram is not positive definite at pivot 3, which takes a long sentence to tell.';
const failed = {
  ...row,
  method: 'svd-llm',
  ratio: 0.4,
  perplexity: null,
  standardError: null,
  storedBytes: 0,
  failure,
};
const comparison: Comparison & { readonly report: string } = {
  version: '0.1.0',
  model: { path: 'demo', sha256: [], elementCount: 786_432 },
  original: { perplexity: 53.44, bytes: 1_572_864 },
  evaluation: { data: 'stories', windowLength: 32, stride: 32, tokenCount: 10_416 },
  calibration: null,
  settings: {},
  rows: [failed, row],
  report: 'out/report.html',
};
const tableOf = (columns: number) => renderComparison(comparison, columns).split('\n').slice(1, 5);

it('prints every figure with its standard error', () => {
  expect(tableOf(120).at(-1)).toBe(
    'gptq:3+lowrank      -  523 kB  5.323        0.0322  54.23 +- 1.538    +0.0148 +- 0.0019  0.0153    17s',
  );
});

it('fits 80 columns without differences and times', () => {
  for (const line of tableOf(80)) expect(line.length).toBeLessThanOrEqual(80);
  expect(tableOf(80).at(-1)).toContain('54.23 +- 1.538');
});

it('says below the table why a row is missing', () => {
  const lines = renderComparison(comparison, 120).split('\n');
  expect(lines.find(line => line.startsWith('svd-llm '))).toMatch(/^svd-llm +0\.4 +failed$/);
  expect(lines.at(-2)).toBe(`svd-llm at 0.4 failed: ${failure}`);
});
