import type { QuantizedWeight } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { roundRows } from './roundRows.ts';
import { roundToNearest } from './roundToNearest.ts';

const [rows, columns] = [11, 40];
/** Weights of ordinary size; the last row is far below what float16 has scales for where `tiny`. */
function source(tiny: boolean) {
  const data = Float32Array.from({ length: rows * columns }, (_, at) => {
    const isSmall = tiny && at >= (rows - 1) * columns;
    return Math.sin(at * 12.9898) * (isSmall ? 1e-7 : 1);
  });
  const read = async (start: number, end: number) => ({
    rows: end - start,
    columns,
    data: data.subarray(start * columns, end * columns),
  });
  return { rows, columns, read };
}

async function joined(slices: AsyncIterable<QuantizedWeight>) {
  const parts: QuantizedWeight[] = [];
  for await (const slice of slices) parts.push(slice);
  const all = (values: readonly ArrayLike<number>[]) => values.flatMap(value => Array.from(value));
  return {
    codes: all(parts.map(({ codes }) => codes)),
    scales: all(parts.map(({ scales }) => scales)),
    zeroPoints: parts[0]!.zeroPoints && all(parts.map(({ zeroPoints }) => zeroPoints!)),
    scaleTypes: [...new Set(parts.map(({ scaleType }) => scaleType))],
    count: parts.length,
  };
}

describe('roundRows', () => {
  for (const options of [
    { bits: 8 },
    { bits: 3, symmetric: false, groupSize: 16 },
    { bits: 2, shrinkSearch: true },
    { bits: 8, scaleType: 'float16' as const },
  ]) {
    for (const tiny of [false, true]) {
      it(`gives what the whole gives, in slices: ${JSON.stringify({ ...options, tiny })}`, async () => {
        const weight = source(tiny);
        const whole = roundToNearest(await weight.read(0, rows), options);
        for (const rowsPerSlice of [4, rows]) {
          const rounded = await roundRows(weight, options, rowsPerSlice);
          expect(rounded).toMatchObject({ outFeatures: rows, inFeatures: columns, scaleType: whole.scaleType });
          const { codes, scales, zeroPoints, scaleTypes, count } = await joined(rounded.slices());
          expect(count).toBe(rowsPerSlice === rows ? 1 : 3);
          expect(scaleTypes).toEqual([whole.scaleType]);
          expect(codes).toEqual([...whole.codes]);
          expect(scales).toEqual([...whole.scales]);
          expect(zeroPoints).toEqual(whole.zeroPoints && [...whole.zeroPoints]);
        }
        expect(whole.scaleType).toBe(tiny && !('scaleType' in options) ? 'float32' : 'float16');
      });
    }
  }

  it('names the first value that is not finite', async () => {
    const bad = { ...source(false), read: async () => ({ rows: 4, columns, data: new Float32Array(160).fill(NaN) }) };
    await expect(roundRows(bad, {}, 4)).rejects.toMatchObject({ code: 'NON_FINITE_WEIGHT' });
  });
});
