import type { Matrix } from '@quern/linalg';

/** A copy in float64. */
export function toFloat64(matrix: Matrix): Matrix<Float64Array> {
  return { ...matrix, data: Float64Array.from(matrix.data) };
}
