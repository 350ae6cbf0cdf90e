import type { FactorResult } from './factorization/factorResult.ts';
import { invertUpperInPlace } from './factorization/invertUpperInPlace.ts';
import { upperFactor } from './factorization/upperFactor.ts';
import type { Matrix } from './matrix.ts';

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
  return { matrix: { rows: n, columns: n, data: antiTranspose(reversed, n) }, pivot: null };
}

/** Element (i, j) becomes (n-1-j, n-1-i): an upper triangle stays upper. Zeros below. */
function antiTranspose(upper: Float64Array, n: number): Float64Array {
  const result = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = row; column < n; column++) result[row * n + column] = upper[(n - 1 - column) * n + n - 1 - row]!;
  }
  return result;
}
