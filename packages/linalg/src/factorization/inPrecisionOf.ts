import type { Matrix } from '../matrix.ts';

/** A float64 matrix in the precision of `like`: rounded for a Float32Array, as it is for a Float64Array. */
export function inPrecisionOf<Data extends Float32Array | Float64Array>(
  like: Matrix<Data>,
  matrix: Matrix<Float64Array>,
): Matrix<Data> {
  const data = like.data instanceof Float32Array ? Float32Array.from(matrix.data) : matrix.data;
  return { rows: matrix.rows, columns: matrix.columns, data: data as Data };
}
