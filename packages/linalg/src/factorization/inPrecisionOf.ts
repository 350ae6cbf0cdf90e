import type { Matrix } from '../matrix.ts';

/** A matrix in the precision of `like`: converted only where its own is another. */
export function inPrecisionOf<Data extends Float32Array | Float64Array>(
  like: Matrix<Data>,
  matrix: Matrix,
): Matrix<Data> {
  const { rows, columns, data } = matrix;
  if (like.data instanceof Float32Array === data instanceof Float32Array) return matrix as Matrix<Data>;
  const converted = like.data instanceof Float32Array ? Float32Array.from(data) : Float64Array.from(data);
  return { rows, columns, data: converted as Data };
}
