import { describe, expect, it } from 'vitest';
import { summarizeScores } from './summarizeScores.ts';

/** Losses by token of windows of different lengths. */
const TOKENS = [[1.5, 0.25, 3], [2], [0.5, 0.75], [], [4, 1, 1, 0.125, 2.5]];
const BASELINE_TOKENS = [[1.25, 0.5, 2.5], [2.25], [0.5, 0.5], [], [3.5, 1, 0.75, 0.25, 2]];

const sums = (tokens: readonly (readonly number[])[]) => Float64Array.from(tokens, add);
const counts = Int32Array.from(TOKENS, window => window.length);

function add(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The standard error of a mean over tokens from token residuals: tokens of one window are fully dependent, windows are not. */
function naiveError(tokens: readonly (readonly number[])[]): number {
  const flat = tokens.flatMap((window, index) => window.map(value => ({ value, index })));
  const mean = add(flat.map(({ value }) => value)) / flat.length;
  let variance = 0;
  for (const one of flat) {
    for (const other of flat) {
      if (one.index === other.index) variance += (one.value - mean) * (other.value - mean);
    }
  }
  return Math.sqrt(variance) / flat.length;
}

describe('summarizeScores', () => {
  it('computes perplexity, bits per byte and the standard error by hand', () => {
    const scores = { nll: Float64Array.of(2, 4), tokenCounts: Int32Array.of(1, 1) };
    const result = summarizeScores(scores, 3);
    expect(result.perplexity).toBeCloseTo(Math.E ** 3, 10);
    // Residuals -1 and 1 over two tokens.
    expect(result.standardError).toBeCloseTo((Math.E ** 3 * Math.SQRT2) / 2, 10);
    expect(result.bitsPerByte).toBeCloseTo(2 / Math.LN2, 10);
    expect(result).toMatchObject({ nllSum: 6, tokenCount: 2 });
    expect(result.baseline).toBeUndefined();
  });

  it('agrees with the standard error from token residuals', () => {
    const result = summarizeScores({ nll: sums(TOKENS), tokenCounts: counts }, 10);
    expect(result.standardError).toBeCloseTo(result.perplexity * naiveError(TOKENS), 10);
  });

  it('pairs the difference to the baseline over windows', () => {
    const baseline = {
      nll: sums(BASELINE_TOKENS),
      klDivergence: Float64Array.of(0.5, 0.25, 0, 0, 1),
      topAgreements: Int32Array.of(3, 0, 1, 0, 4),
    };
    const result = summarizeScores({ nll: sums(TOKENS), tokenCounts: counts, baseline }, 10).baseline!;
    const difference = TOKENS.map((window, index) =>
      window.map((value, token) => value - BASELINE_TOKENS[index]![token]!),
    );
    expect(result.nllDifference).toBeCloseTo(add(difference.flat()) / 11, 12);
    expect(result.nllDifferenceStandardError).toBeCloseTo(naiveError(difference), 12);
    expect(result.perplexity).toBeCloseTo(Math.exp(add(BASELINE_TOKENS.flat()) / 11), 10);
    expect(result.klDivergence).toBeCloseTo(1.75 / 11, 12);
    expect(result.topAgreement).toBeCloseTo(8 / 11, 12);
  });

  it('takes a baseline of which only the losses are known', () => {
    const scores = { nll: Float64Array.of(3), tokenCounts: Int32Array.of(2), baseline: { nll: Float64Array.of(2) } };
    expect(summarizeScores(scores, 1).baseline).toMatchObject({
      nllDifference: 0.5,
      klDivergence: null,
      topAgreement: null,
    });
  });

  it('refuses a text of which nothing was scored', () => {
    const empty = { nll: new Float64Array(2), tokenCounts: new Int32Array(2) };
    expect(() => summarizeScores(empty, 1)).toThrowError(expect.objectContaining({ code: 'TEXT_TOO_SHORT' }));
  });
});
