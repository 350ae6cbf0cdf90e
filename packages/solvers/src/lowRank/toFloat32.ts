import type { Matrix } from '@quern/linalg';

/** A copy in float32. */
export function toFloat32(matrix: Matrix): Matrix<Float32Array> {
  return { ...matrix, data: Float32Array.from(matrix.data) };
}
