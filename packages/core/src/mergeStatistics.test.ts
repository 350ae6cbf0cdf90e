import { expect, it } from 'vitest';
import type { InputStatistics } from './inputStatistics.ts';
import { mergeStatistics } from './mergeStatistics.ts';

const square = (...values: number[]) => ({ rows: 2, columns: 2, data: Float64Array.from(values) });
// Tokens (1, -2) and (3, 0); then one token (0, 4).
const first: InputStatistics = {
  inputGram: square(10, -2, -2, 4),
  tokenCount: 2,
  meanAbsolute: Float64Array.of(2, 1),
  crossGram: square(1, 2, 3, 4),
};
const second: InputStatistics = {
  inputGram: square(0, 0, 0, 16),
  tokenCount: 1,
  meanAbsolute: Float64Array.of(0, 4),
  crossGram: square(1, 1, 1, 1),
};

it('is what all tokens give, as computed by hand', () => {
  const { inputGram, tokenCount, meanAbsolute, crossGram } = mergeStatistics(first, second);
  expect([...inputGram.data]).toEqual([10, -2, -2, 20]);
  expect(tokenCount).toBe(3);
  expect(meanAbsolute[0]).toBeCloseTo(4 / 3, 12);
  expect(meanAbsolute[1]).toBeCloseTo(2, 12);
  expect([...crossGram!.data]).toEqual([2, 3, 4, 5]);
  expect([...first.inputGram.data]).toEqual([10, -2, -2, 4]);
});

it('has no cross-Gram where one is missing, and survives empty texts', () => {
  const { crossGram: _, ...without } = second;
  expect(mergeStatistics(first, without).crossGram).toBeUndefined();
  const empty = { inputGram: square(0, 0, 0, 0), tokenCount: 0, meanAbsolute: new Float64Array(2) };
  expect(mergeStatistics(empty, empty)).toEqual(empty);
  expect([...mergeStatistics(empty, first).meanAbsolute]).toEqual([2, 1]);
});

it('refuses statistics of other sites', () => {
  const other = {
    inputGram: { rows: 1, columns: 1, data: new Float64Array(1) },
    tokenCount: 1,
    meanAbsolute: new Float64Array(1),
  };
  expect(() => mergeStatistics(first, other)).toThrow(expect.objectContaining({ code: 'INVALID_SHAPE' }));
});
