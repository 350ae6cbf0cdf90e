import { CompressionError } from '@quern/core';
import { cholesky, type Matrix, symmetricEigen } from '@quern/linalg';
import { diagonalSum } from './diagonalSum.ts';

/** Shift of a singular matrix, relative to the mean of its diagonal. */
const SHIFT = 1e-8;

/** A negative eigenvalue above this share of the largest one is no rounding error. */
const LARGEST_ROUNDING = 1e-5;

/**
 * The lower L with L L^T = G, G symmetric and positive semidefinite `[n, n]`.
 *
 * Where G is singular to rounding, such as with inputs that were never active or with fewer tokens than inputs, it is that of
 * G + s I with s = 1e-8 mean(diag G), and if rounding left G a negative eigenvalue -e that this does not outweigh, s + e. What
 * the shift costs is part of every error that is measured with G itself.
 * Errors: NOT_POSITIVE_DEFINITE when e is more than rounding, above 1e-5 of the largest eigenvalue.
 * Cost: n^3 / 6 multiply-adds, seldom an eigen decomposition; two copies.
 */
export async function shiftedCholesky(gram: Matrix<Float64Array>): Promise<Matrix<Float64Array>> {
  const n = gram.rows;
  const plain = await cholesky(gram, 'lower');
  if (plain.matrix !== null) return plain.matrix;
  const shift = (SHIFT * diagonalSum(gram)) / n;
  const slight = await cholesky(shifted(gram, shift), 'lower');
  if (slight.matrix !== null) return slight.matrix;
  const { values } = await symmetricEigen(gram);
  const lowest = values[n - 1]!;
  const last = await cholesky(shifted(gram, shift + Math.max(0, -lowest)), 'lower');
  if (last.matrix !== null && -lowest <= LARGEST_ROUNDING * values[0]!) return last.matrix;
  throw new CompressionError(
    'NOT_POSITIVE_DEFINITE',
    `The Gram has eigenvalues from ${lowest} to ${values[0]}, and a sum of squares has none below 0: calibrate again, or use a method that needs no Gram.`,
    { lowest, highest: values[0] },
  );
}

function shifted(matrix: Matrix<Float64Array>, shift: number): Matrix<Float64Array> {
  const data = matrix.data.slice();
  for (let index = 0; index < data.length; index += matrix.columns + 1) data[index]! += shift;
  return { ...matrix, data };
}
