import type { FactorResult } from './factorization/factorResult.ts';
import { upperFactor } from './factorization/upperFactor.ts';
import type { Matrix } from './matrix.ts';
import { transpose } from './transpose.ts';

/**
 * The Cholesky factor of a symmetric positive definite matrix: upper U with A = U^T U, or lower L = U^T with A = L L^T.
 *
 * Reads the upper triangle only; the input stays as it is. Not positive definite, NaN or infinite: `pivot` instead of a factor.
 * Source: Golub and Van Loan, Matrix Computations, recursive blocked form.
 * Cost: about n^3 / 4 multiply-adds (n^3 / 6 in OpenBLAS), two copies of the matrix.
 */
export async function cholesky(matrix: Matrix<Float64Array>, triangle: 'upper' | 'lower'): Promise<FactorResult> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`cholesky: ${n} x ${matrix.columns} is not square`);
  const data = matrix.data.slice();
  const pivot = await upperFactor(data, n);
  if (pivot >= 0) return { matrix: null, pivot };
  const upper = { rows: n, columns: n, data };
  return { matrix: triangle === 'upper' ? upper : transpose(upper), pivot: null };
}
