import { describe, expect, it } from 'vitest';
import { emptyScores } from './emptyScores.ts';
import { calibrationGaps } from './statistics/calibrationGaps.ts';
import { summarizeScores } from './summarizeScores.ts';
import type { WindowScores } from './windowScores.ts';

/** Losses by token of windows of different lengths. */
const TOKENS = [[1.5, 0.25, 3], [2], [0.5, 0.75], [], [4, 1, 1, 0.125, 2.5]];
const BASELINE_TOKENS = [[1.25, 0.5, 2.5], [2.25], [0.5, 0.5], [], [3.5, 1, 0.75, 0.25, 2]];
const DIVERGENCES = [[0.5, 0, 0], [0.25], [0, 0.125], [], [0, 0, 2, 0, 0]];

const windows = TOKENS.map(({ length }) => ({ ids: new Int32Array(length + 1), firstScored: 1 }));
const sums = (tokens: readonly (readonly number[])[]) => Float64Array.from(tokens, add);
const counts = Int32Array.from(TOKENS, window => window.length);
const sizes = { byteCounts: [6, 3, 4, 0, 9], wordCounts: [2, 1, 1, 0, 2] };

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

const compared: WindowScores = {
  nll: sums(TOKENS),
  right: Int32Array.of(1, 0, 1, 0, 2),
  gaps: calibrationGaps(5),
  tokenCounts: counts,
  baseline: {
    nll: sums(BASELINE_TOKENS),
    right: Int32Array.of(2, 0, 1, 0, 4),
    gaps: calibrationGaps(5),
    klDivergence: sums(DIVERGENCES),
    tokenDivergences: Float32Array.from(DIVERGENCES.flat()),
    topAgreements: Int32Array.of(3, 0, 1, 0, 4),
    topFiveAgreements: Int32Array.of(3, 1, 2, 0, 4),
    lost: Int32Array.of(1, 0, 1, 0, 3),
    gained: Int32Array.of(0, 0, 1, 0, 1),
  },
};

describe('summarizeScores', () => {
  it('computes perplexities, bits per byte and their standard errors by hand', () => {
    const scores = { ...emptyScores(windows.slice(0, 2), false), nll: Float64Array.of(2, 4) };
    const twoTokens = { ...scores, tokenCounts: Int32Array.of(1, 1), right: Int32Array.of(1, 0) };
    const result = summarizeScores(twoTokens, { byteCounts: [1, 2], wordCounts: [1, 3] });
    expect(result.perplexity).toBeCloseTo(Math.E ** 3, 10);
    // Residuals -1 and 1 over two tokens.
    expect(result.standardError).toBeCloseTo((Math.E ** 3 * Math.SQRT2) / 2, 10);
    expect(result.bitsPerByte).toBeCloseTo(2 / Math.LN2, 10);
    // Both windows have 2 nats a byte.
    expect(result.bitsPerByteStandardError).toBeCloseTo(0, 10);
    expect(result.wordPerplexity).toBeCloseTo(Math.exp(6 / 4), 10);
    // Residuals 2 - 1.5 and 4 - 4.5 over four words.
    expect(result.wordPerplexityStandardError).toBeCloseTo((Math.exp(1.5) * Math.sqrt(0.5)) / 4, 10);
    expect(result).toMatchObject({ nllSum: 6, tokenCount: 2, wordCount: 4, accuracy: 0.5 });
    expect(result.accuracyStandardError).toBeCloseTo(Math.sqrt(0.5) / 2, 10);
    expect(result.baseline).toBeUndefined();
  });

  it('has no word perplexity where no word begins', () => {
    const scores = { ...emptyScores(windows, false), nll: sums(TOKENS) };
    const { wordPerplexity, wordPerplexityStandardError } = summarizeScores(scores, {
      ...sizes,
      wordCounts: [0, 0, 0, 0, 0],
    });
    expect([wordPerplexity, wordPerplexityStandardError]).toEqual([null, null]);
  });

  it('agrees with the standard error from token residuals', () => {
    const result = summarizeScores({ ...emptyScores(windows, false), nll: sums(TOKENS) }, sizes);
    expect(result.standardError).toBeCloseTo(result.perplexity * naiveError(TOKENS), 10);
  });

  it('pairs the difference to the baseline over windows', () => {
    const result = summarizeScores(compared, sizes).baseline!;
    const difference = TOKENS.map((window, index) =>
      window.map((value, token) => value - BASELINE_TOKENS[index]![token]!),
    );
    expect(result.nllDifference).toBeCloseTo(add(difference.flat()) / 11, 12);
    expect(result.nllDifferenceStandardError).toBeCloseTo(naiveError(difference), 12);
    expect(result.perplexity).toBeCloseTo(Math.exp(add(BASELINE_TOKENS.flat()) / 11), 10);
    expect(result.klDivergence).toBeCloseTo(2.875 / 11, 12);
    expect(result.klDivergenceStandardError).toBeCloseTo(naiveError(DIVERGENCES), 12);
    expect([result.topAgreement, result.topFiveAgreement]).toEqual([8 / 11, 10 / 11]);
    expect(result.accuracyDifference).toBeCloseTo((4 - 7) / 11, 12);
  });

  it('finds the largest divergences and where the largest stands', () => {
    const { klMaximum, klMaximumAt, klPercentile99 } = summarizeScores(compared, sizes).baseline!;
    expect(klMaximum).toBe(2);
    expect(klMaximumAt).toEqual({ window: 4, scoredToken: 2 });
    // Between the largest and the second of 11: place 9.9.
    expect(klPercentile99).toBeCloseTo(0.5 + 0.9 * 1.5, 12);
  });

  it('counts flips and tests them, adjusted for being three', () => {
    const { flips, tests, seed } = summarizeScores(compared, sizes, 4).baseline!;
    expect(flips).toMatchObject({ lost: 5, gained: 2, perDocument: 7 / 4, documentsDamaged: 0 });
    expect(seed).toBe(4);
    expect(tests.map(({ figure, test }) => [figure, test])).toEqual([
      ['nll', 'paired bootstrap'],
      ['accuracy', 'McNemar'],
      ['calibrationError', 'paired bootstrap'],
    ]);
    // Seven coins, five or more or two or fewer: 2 (1 + 7 + 21) / 128.
    expect(tests[1]!.pValue).toBeCloseTo(58 / 128, 12);
    for (const test of tests) expect(test.adjustedPValue).toBeGreaterThanOrEqual(test.pValue);
    expect(tests[0]!.difference).toBeCloseTo(summarizeScores(compared, sizes).baseline!.nllDifference, 12);
  });

  it('calls a document damaged that lost many and gained none', () => {
    const lost = Int32Array.of(0, 0, 0, 0, 12);
    const baseline = { ...compared.baseline!, lost, gained: new Int32Array(5) };
    expect(summarizeScores({ ...compared, baseline }, sizes).baseline!.flips.documentsDamaged).toBe(1);
  });

  it('refuses a text of which nothing was scored', () => {
    const empty = emptyScores([{ ids: Int32Array.of(1), firstScored: 1 }], false);
    expect(() => summarizeScores(empty, { byteCounts: [0], wordCounts: [0] })).toThrowError(
      expect.objectContaining({ code: 'TEXT_TOO_SHORT' }),
    );
  });
});
