import { type Matrix, solveTriangular, symmetricEigen } from '@quern/linalg';
import { diagonalSum } from '../lowRank/diagonalSum.ts';
import { shiftedCholesky } from '../lowRank/shiftedCholesky.ts';
import { sumOf } from '../lowRank/sumOf.ts';

/** Keeps directions that neither matrix knows in reach of the arithmetic; relative to the mean of the diagonal. */
const SHIFT = 1e-8;

/** T with T A T^T = diag(shares) and T (A + B) T^T = I. */
export interface CommonBasis {
  /** `[n, n]`. */
  readonly transform: Matrix<Float64Array>;
  /** 0..1: what A has of each direction; B has the rest. */
  readonly shares: Float64Array;
}

/**
 * The basis in which two symmetric, positive semidefinite matrices are diagonal, by a generalised eigenproblem with their sum, to which 1e-8 of
 * its mean diagonal is added: B counts as that much larger. Errors: NOT_POSITIVE_DEFINITE. Cost: an eigenproblem and 2 n^3 multiply-adds.
 */
export async function diagonalizeTogether(
  first: Matrix<Float64Array>,
  second: Matrix<Float64Array>,
): Promise<CommonBasis> {
  const sum = sumOf([first, second]);
  const shift = (SHIFT * diagonalSum(sum)) / sum.rows;
  for (let index = 0; index < sum.data.length; index += sum.columns + 1) sum.data[index]! += shift;
  const lower = await shiftedCholesky(sum);
  const half = await solveTriangular(lower, first, { triangle: 'lower' });
  const inner = await solveTriangular(lower, half, { triangle: 'lower', transposed: true, side: 'right' });
  const { values, vectors } = await symmetricEigen(inner);
  const transform = await solveTriangular(lower, vectors, { triangle: 'lower', side: 'right' });
  return { transform, shares: values.map(value => Math.min(1, Math.max(0, value))) };
}
