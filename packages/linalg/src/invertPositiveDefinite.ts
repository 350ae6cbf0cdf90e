import type { FactorResult } from './factorization/factorResult.ts';
import { invertUpperInPlace } from './factorization/invertUpperInPlace.ts';
import { upperFactor } from './factorization/upperFactor.ts';
import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';

/**
 * The inverse of a symmetric positive definite matrix: A = U^T U, A^-1 = U^-1 U^-T. Symmetric to the last bit.
 *
 * Reads the upper triangle only; the input stays as it is. Not positive definite: `pivot` instead.
 * Cost: about 3 n^3 / 2 multiply-adds, four copies of the matrix.
 */
export async function invertPositiveDefinite(matrix: Matrix<Float64Array>): Promise<FactorResult> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`invertPositiveDefinite: ${n} x ${matrix.columns} is not square`);
  const factor = matrix.data.slice();
  const pivot = await upperFactor(factor, n);
  if (pivot >= 0) return { matrix: null, pivot };
  await invertUpperInPlace(factor, n);
  for (let row = 1; row < n; row++) factor.fill(0, row * n, row * n + row);
  const inverseFactor = { rows: n, columns: n, data: factor };
  const inverse = await gemm(inverseFactor, inverseFactor, { transposeB: true });
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < row; column++) inverse.data[row * n + column] = inverse.data[column * n + row]!;
  }
  return { matrix: inverse, pivot: null };
}
