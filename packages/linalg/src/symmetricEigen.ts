import { inPrecisionOf } from './factorization/inPrecisionOf.ts';
import { powerOfTwoAbove } from './factorization/powerOfTwoAbove.ts';
import { requireFinite } from './factorization/requireFinite.ts';
import { tridiagonalEigen } from './factorization/tridiagonalEigen.ts';
import { tridiagonalize } from './factorization/tridiagonalize.ts';
import { turnBack } from './factorization/turnBack.ts';
import type { Matrix } from './matrix.ts';

/** A = sum of values[i] v_i v_i^T, where v_i is row i of `vectors`. */
export interface SymmetricEigen<Data extends Float32Array | Float64Array> {
  /** Eigenvalues, descending. */
  readonly values: Float64Array;
  /** `[n, n]`: row i is the unit eigenvector of values[i]. */
  readonly vectors: Matrix<Data>;
}

/**
 * Eigenvalues and orthonormal eigenvectors of a symmetric matrix `[n, n]`, of which the upper triangle is read.
 *
 * Computed in float64, whatever the precision of the input, which stays as it is; float32 vectors are rounded at the end. With
 * |A| the largest size of an eigenvalue, values are off by at most 1e-14 |A|, and by largest values |A V - V diag| <= 1e-14 |A| and
 * |V^T V - I| <= 1e-14 (measured up to n = 2048: 2e-15 and 4e-15). Eigenvalues below that, as of a Gram matrix with dependent
 * columns, are rounding errors of either sign. The same bytes for any number of threads.
 * Source: Householder tridiagonalisation, blocked as in LAPACK's sytrd; divide and conquer (Cuppen 1981; Gu and Eisenstat
 * 1995); vectors turned back in compact WY form.
 * OpenBLAS, where it is chosen, runs the products only: its dsyevd takes a third longer.
 * Errors: RangeError for matrices that are not square, NaN and infinity; an Error when an iteration does not converge.
 * Cost: 7 n^3 / 3 multiply-adds at most, five sixths of them in products; scratch 4 n^2 doubles.
 */
export async function symmetricEigen<Data extends Float32Array | Float64Array>(
  matrix: Matrix<Data>,
): Promise<SymmetricEigen<Data>> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`symmetricEigen: ${n} x ${matrix.columns} is not square`);
  const upper = copyUpper(matrix);
  const unit = powerOfTwoAbove(requireFinite(upper, 'symmetricEigen'));
  // -A ascending is A descending.
  for (let index = 0; index < n * n; index++) upper.data[index]! /= -unit;
  const { diagonal, offDiagonal, panels } = await tridiagonalize(upper);
  const { values, vectors } = await tridiagonalEigen(diagonal, offDiagonal);
  await turnBack(panels, vectors);
  return { values: values.map(value => -value * unit), vectors: inPrecisionOf(matrix, vectors) };
}

/** In float64, zeros below the diagonal. */
function copyUpper({ rows, data }: Matrix): Matrix<Float64Array> {
  const upper = new Float64Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    upper.set(data.subarray(row * rows + row, (row + 1) * rows), row * rows + row);
  }
  return { rows, columns: rows, data: upper };
}
