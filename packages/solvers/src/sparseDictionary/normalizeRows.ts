import type { Matrix } from '@quern/linalg';

/** Divides each row by its norm, in place, but for rows of zeros; gives the norms that were. */
export function normalizeRows({ rows, columns, data }: Matrix<Float64Array>): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    norms[row] = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    if (norms[row]! > 0) for (let index = 0; index < columns; index++) values[index]! /= norms[row]!;
  }
  return norms;
}
