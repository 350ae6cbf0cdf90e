import { solveUpperInPlace } from './factorization/solveUpperInPlace.ts';
import type { Matrix } from './matrix.ts';
import { transpose } from './transpose.ts';

export interface SolveTriangularOptions {
  /** Which triangle of the factor is read; the other one may hold anything. */
  readonly triangle: 'upper' | 'lower';
  /** Solve with the factor's transpose. */
  readonly transposed?: boolean;
  /** 'left': op(T) X = B (default). 'right': X op(T) = B. */
  readonly side?: 'left' | 'right';
}

/**
 * X with op(T) X = B, or X op(T) = B, for a triangular T `[n, n]` and many right-hand sides B.
 *
 * Inputs stay as they are; zeros on the diagonal give infinities. Engines agree to n units of the last place times the
 * condition number of T.
 * Cost: n^2 times the number of right-hand sides / 2 multiply-adds; copies of T and B.
 */
export async function solveTriangular(
  factor: Matrix<Float64Array>,
  rightHandSides: Matrix<Float64Array>,
  options: SolveTriangularOptions,
): Promise<Matrix<Float64Array>> {
  const { triangle, transposed = false, side = 'left' } = options;
  const n = factor.rows;
  if (factor.columns !== n || (side === 'left' ? rightHandSides.rows : rightHandSides.columns) !== n) {
    throw new RangeError(
      `solveTriangular: ${n} x ${factor.columns} on the ${side} of ${rightHandSides.rows} x ${rightHandSides.columns}`,
    );
  }
  // X op(T) = B is op(T)^T X^T = B^T, and a lower T is the transpose of an upper one.
  if (side === 'right') {
    const options = { triangle, transposed: !transposed };
    return transpose(await solveTriangular(factor, transpose(rightHandSides), options));
  }
  const solution = { ...rightHandSides, data: rightHandSides.data.slice() };
  const upper = triangle === 'upper' ? factor : transpose(factor);
  await solveUpperInPlace(upper.data, n, solution.data, solution.columns, (triangle === 'lower') !== transposed);
  return solution;
}
