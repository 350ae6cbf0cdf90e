import type { FactorResult } from './factorization/factorResult.ts';
import { invertUpperInPlace } from './factorization/invertUpperInPlace.ts';
import { upperFactor } from './factorization/upperFactor.ts';
import type { Matrix } from './matrix.ts';
import { transpose } from './transpose.ts';

/**
 * The upper U with A^-1 = U^T U, without forming the inverse.
 *
 * With J the reversal of the order, J A J = V^T V gives A^-1 = (J V^-T J)^T (J V^-T J), and J V^-T J is upper: one Cholesky
 * factorisation and one triangular inverse, where inverting first takes two factorisations more and loses digits.
 * Reads one triangle of `matrix` (the lower one) and leaves it as it is. Not positive definite: `pivot`, counted in the order
 * of `matrix`; the factorisation runs from the last row to the first.
 * Cost: about n^3 / 2 multiply-adds, three copies of the matrix.
 */
export async function choleskyOfInverse(matrix: Matrix<Float64Array>): Promise<FactorResult> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`choleskyOfInverse: ${n} x ${matrix.columns} is not square`);
  const reversed = matrix.data.toReversed();
  const pivot = await upperFactor(reversed, n);
  if (pivot >= 0) return { matrix: null, pivot: n - 1 - pivot };
  await invertUpperInPlace(reversed, n);
  for (let row = 1; row < n; row++) reversed.fill(0, row * n, row * n + row);
  // J V^-T J: reversing the order of all elements reverses rows and columns.
  const factor = transpose({ rows: n, columns: n, data: reversed });
  factor.data.reverse();
  return { matrix: factor, pivot: null };
}
