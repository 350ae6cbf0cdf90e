import { engine } from './engine.ts';
import { inPrecisionOf } from './factorization/inPrecisionOf.ts';
import { powerOfTwoAbove } from './factorization/powerOfTwoAbove.ts';
import { reflectorPanels } from './factorization/reflectorPanels.ts';
import { requireFinite } from './factorization/requireFinite.ts';
import { tridiagonalEigen } from './factorization/tridiagonalEigen.ts';
import { type Tridiagonal, tridiagonalize } from './factorization/tridiagonalize.ts';
import { turnBack } from './factorization/turnBack.ts';
import type { Matrix } from './matrix.ts';
import type { OpenBlas } from './openBlas/loadOpenBlas.ts';

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
 * Computed in float64 for float64 input, which stays as it is. With |A| the largest size of an eigenvalue, values are off by at
 * most 1e-14 |A|, and by largest values |A V - V diag| <= 1e-14 |A| and |V^T V - I| <= 1e-14 (measured up to n = 2048: 2e-15 and
 * 4e-15). Eigenvalues below that, as of a Gram matrix with dependent columns, are rounding errors of either sign.
 * float32 input is computed in float64 too, and rounded at the end, without OpenBLAS. With it all is done in float32: in place of
 * 1e-14 all three bounds are 5e-6 (measured at n = 2048: 4.5e-7, 3e-7 and 2.5e-6). Choose float64 where small eigenvalues matter.
 * The same bytes for any number of threads.
 * Source: Householder tridiagonalisation, blocked as in LAPACK's sytrd; divide and conquer (Cuppen 1981; Gu and Eisenstat
 * 1995); vectors turned back in compact WY form. OpenBLAS, where it is chosen, runs sytrd, the products and, in float32, stedc;
 * its own way back, ormtr, takes twice as long, so that syevd as a whole is slower.
 * Errors: RangeError for matrices that are not square, NaN and infinity; an Error when an iteration does not converge.
 * Cost: 7 n^3 / 3 multiply-adds at most, five sixths of them in products; scratch 4 n^2 values.
 */
export async function symmetricEigen<Data extends Float32Array | Float64Array>(
  matrix: Matrix<Data>,
): Promise<SymmetricEigen<Data>> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`symmetricEigen: ${n} x ${matrix.columns} is not square`);
  const { openBlas } = await engine();
  const inSingle = openBlas !== null && matrix.data instanceof Float32Array;
  const upper = copyUpper(matrix, inSingle ? new Float32Array(n * n) : new Float64Array(n * n));
  const unit = powerOfTwoAbove(requireFinite({ ...matrix, data: upper }, 'symmetricEigen'));
  // -A ascending is A descending.
  for (let index = 0; index < upper.length; index++) upper[index]! /= -unit;
  const { values, vectors } =
    upper instanceof Float32Array ? await solveSingle(openBlas!, upper, n) : await solveDouble(openBlas, upper, n);
  return { values: Float64Array.from(values, value => -value * unit), vectors: inPrecisionOf(matrix, vectors) };
}

/** Values ascending. */
interface Ascending {
  readonly values: Float32Array | Float64Array;
  readonly vectors: Matrix;
}

async function solveSingle(openBlas: OpenBlas, upper: Float32Array, n: number): Promise<Ascending> {
  const { diagonal, offDiagonal, taus } = openBlas.tridiagonalize(upper, n);
  const vectors = { rows: n, columns: n, data: openBlas.tridiagonalEigen(diagonal, offDiagonal) };
  await turnBack(reflectorPanels({ ...vectors, data: upper }, taus), vectors);
  return { values: diagonal, vectors };
}

async function solveDouble(openBlas: OpenBlas | null, upper: Float64Array, n: number): Promise<Ascending> {
  const matrix = { rows: n, columns: n, data: upper };
  const { diagonal, offDiagonal, panels } = await (openBlas ? reduceInPlace(openBlas, matrix) : tridiagonalize(matrix));
  const { values, vectors } = await tridiagonalEigen(diagonal, offDiagonal);
  await turnBack(panels, vectors);
  return { values, vectors };
}

function reduceInPlace(openBlas: OpenBlas, matrix: Matrix<Float64Array>): Tridiagonal {
  const { diagonal, offDiagonal, taus } = openBlas.tridiagonalize(matrix.data, matrix.rows);
  return { diagonal, offDiagonal, panels: reflectorPanels(matrix, taus) };
}

/** Writes the upper triangle into `upper`, which holds zeros. */
function copyUpper<Data extends Float32Array | Float64Array>({ rows, data }: Matrix, upper: Data): Data {
  for (let row = 0; row < rows; row++) {
    upper.set(data.subarray(row * rows + row, (row + 1) * rows), row * rows + row);
  }
  return upper;
}
