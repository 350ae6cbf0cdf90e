import { describe, expect, it } from 'vitest';
import { keepLargest } from './keepLargest.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { largestMagnitude } from './largestMagnitude.ts';
import { wide } from './testCodes.ts';

describe('thresholds', () => {
  it.each([1, 2, 3, 5, 7, 17, 31, 33, 1000])('finds every largest magnitude of %i values like a sort', count => {
    // Few different values, so that many are equal.
    const values = wide(1, count, 3).data.map(value => Math.round(4 * value));
    const sorted = [...values].map(Math.abs).sort((a, b) => b - a);
    for (let place = 1; place <= count; place += 1 + Math.floor(count / 40)) {
      const limit = sorted[place - 1]!;
      const expected = { limit, surplus: sorted.filter(size => size >= limit).length - place };
      expect(largestMagnitude(values, place)).toEqual(expected);
      expect(largestMagnitude(Float32Array.from(values), place)).toEqual(expected);
    }
  });

  it('finds float32 magnitudes that differ in their last bits', () => {
    const values = Float32Array.from(
      { length: 100 },
      (_, index) => (1 + index * 2 ** -23) * (index % 2 === 0 ? 1 : -1),
    );
    for (const place of [1, 2, 50, 99, 100]) {
      expect(largestMagnitude(values, place)).toEqual({ limit: 1 + (100 - place) * 2 ** -23, surplus: 0 });
    }
  });

  it.each([Float32Array, Float64Array])('keeps the first of equal values, in %o', kind => {
    const values = kind.of(1, -2, 2, 1, -1);
    keepLargest(values, 3);
    expect([...values]).toEqual([1, -2, 2, 0, 0]);
    const few = kind.of(0, 0, -3, 0);
    keepLargest(few, 2);
    expect([...few].map(Math.abs)).toEqual([0, 0, 3, 0]);
  });

  it('keeps the same values in float32 as in float64', () => {
    const values = Float32Array.from(wide(1, 1000, 5).data);
    const twin = Float64Array.from(values);
    keepLargest(values, 333);
    keepLargest(twin, 333);
    expect([...values]).toEqual([...twin]);
    expect(twin.filter(value => value !== 0)).toHaveLength(333);
  });

  it('keeps as many in every row, and gives the odd ones to the rows with most to lose', () => {
    const matrix = { rows: 2, columns: 3, data: Float64Array.of(1, 2, 3, 9, 8, 7) };
    keepLargestOfRows(matrix, 3);
    expect([...matrix.data]).toEqual([0, 0, 3, 9, 8, 0]);
  });
});
