import { type Matrix, submatrix } from '@quern/linalg';
import { expect, it } from 'vitest';
import { cutFactor } from './cutFactor.ts';

/** An upper factor whose elements are all different. */
function upper(n: number): Matrix<Float64Array> {
  const data = Float64Array.from({ length: n * n }, (_, at) => (at % n < Math.floor(at / n) ? 0 : at + 1));
  return { rows: n, columns: n, data };
}

it.each([1, 2, 3, 5, 7, 17, 31, 33])('cuts %i columns into the parts of the factor, in its memory', n => {
  for (const blockSize of [1, 3, 8, 64]) {
    for (const groupSize of [1, 4]) {
      const factor = upper(n);
      const blocks = cutFactor(factor, blockSize, groupSize);
      expect(blocks.at(-1)!.end).toBe(n);
      for (const { start, end, within, toRest } of blocks) {
        const parts = [
          [within, submatrix(upper(n), start, start, end - start, end - start)],
          [toRest, submatrix(upper(n), start, end, end - start, n - end)],
        ] as const;
        for (const [part, expected] of parts) {
          expect({ ...part, data: [...part.data] }).toEqual({ ...expected, data: [...expected.data] });
          expect(part.data.buffer).toBe(factor.data.buffer);
        }
      }
    }
  }
});
