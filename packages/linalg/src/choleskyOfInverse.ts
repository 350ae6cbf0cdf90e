import type { FactorResult } from './factorization/factorResult.ts';
import { invertUpperInPlace } from './factorization/invertUpperInPlace.ts';
import { upperFactor } from './factorization/upperFactor.ts';
import type { Matrix } from './matrix.ts';

export interface CholeskyOfInverseOptions {
  /** Compute in the memory of `matrix`, which then holds the result; its old values are lost, also on failure. */
  readonly overwrite?: boolean;
}

/** Rows and columns that are mirrored together: two tiles of doubles stay in the first cache. */
const TILE = 32;

/**
 * The upper U with A^-1 = U^T U, without forming the inverse.
 *
 * With J the reversal of the order, J A J = V^T V gives A^-1 = (J V^-T J)^T (J V^-T J), and J V^-T J is upper: one Cholesky
 * factorisation and one triangular inverse, where inverting first takes two factorisations more and loses digits.
 * Reads one triangle of `matrix` (the lower one) and leaves it as it is unless `overwrite` is set. Not positive definite: `pivot`,
 * counted in the order of `matrix`; the factorisation runs from the last row to the first.
 * Cost: about n^3 / 2 multiply-adds, one copy of the matrix, none with `overwrite`.
 */
export async function choleskyOfInverse(
  matrix: Matrix<Float64Array>,
  { overwrite = false }: CholeskyOfInverseOptions = {},
): Promise<FactorResult> {
  const n = matrix.rows;
  if (matrix.columns !== n) throw new RangeError(`choleskyOfInverse: ${n} x ${matrix.columns} is not square`);
  const data = overwrite ? matrix.data.reverse() : matrix.data.toReversed();
  const pivot = await upperFactor(data, n);
  if (pivot >= 0) return { matrix: null, pivot: n - 1 - pivot };
  await invertUpperInPlace(data, n);
  for (let row = 1; row < n; row++) data.fill(0, row * n, row * n + row);
  antiTranspose(data, n);
  return { matrix: { rows: n, columns: n, data }, pivot: null };
}

/** J M^T J in place: mirrors a square matrix in its other diagonal, (i, j) <-> (n - 1 - j, n - 1 - i). */
function antiTranspose(data: Float64Array, n: number): void {
  for (let rowStart = 0; rowStart < n; rowStart += TILE) {
    for (let columnStart = 0; columnStart < n - rowStart; columnStart += TILE) {
      const rowEnd = Math.min(rowStart + TILE, n);
      for (let row = rowStart; row < rowEnd; row++) {
        const columnEnd = Math.min(columnStart + TILE, n - 1 - row);
        for (let column = columnStart; column < columnEnd; column++) {
          const here = row * n + column;
          const there = (n - 1 - column) * n + (n - 1 - row);
          const value = data[here]!;
          data[here] = data[there]!;
          data[there] = value;
        }
      }
    }
  }
}
