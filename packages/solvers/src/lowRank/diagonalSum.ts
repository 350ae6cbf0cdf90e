import type { Matrix } from '@quern/linalg';

/** The trace of a square matrix. */
export function diagonalSum({ columns, data }: Matrix<Float64Array>): number {
  let sum = 0;
  for (let index = 0; index < data.length; index += columns + 1) sum += data[index]!;
  return sum;
}
