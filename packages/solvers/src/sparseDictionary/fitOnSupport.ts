import { gemm, type Matrix } from '@quern/linalg';
import { nonzerosOf } from './nonzerosOf.ts';

/** What least squares needs of a dictionary: all that depends on the length of the atoms is in these two. */
export interface NormalEquations {
  /** D D^T, `[atomCount, atomCount]`. */
  readonly atomGram: Matrix<Float64Array>;
  /** Y D^T, `[outFeatures, atomCount]`. */
  readonly correlations: Matrix<Float64Array>;
}

/**
 * Conjugate gradients on ||Y - C D||_F over the values of C, whose zeros stay: every row a problem of its own, all of them by
 * one product a step. The objective never rises.
 *
 * Source: Hestenes and Stiefel 1952, restricted to the support as in hard-thresholding pursuit (Foucart 2011).
 * Cost: `steps` + 1 products of outFeatures atomCount^2 multiply-adds; four matrices like C. C stays as it is.
 */
export async function fitOnSupport(
  coefficients: Matrix<Float64Array>,
  { atomGram, correlations }: NormalEquations,
  steps: number,
): Promise<Matrix<Float64Array>> {
  const { rows, columns } = coefficients;
  const fitted = { rows, columns, data: coefficients.data.slice() };
  const support = nonzerosOf(coefficients.data);
  const residual = await gemm(fitted, atomGram, {
    alpha: -1,
    beta: 1,
    output: { rows, columns, data: correlations.data.slice() },
  });
  for (let index = 0; index < support.length; index++) residual.data[index]! *= support[index]!;
  const direction = { rows, columns, data: residual.data.slice() };
  const energies = Float64Array.from({ length: rows }, (_, row) => dot(residual.data, residual.data, row, columns));
  const first = energies.slice();
  for (let step = 0; step < steps; step++) {
    const image = await gemm(direction, atomGram);
    for (let row = 0; row < rows; row++) {
      const curvature = dot(direction.data, image.data, row, columns);
      // Converged to rounding, or a direction that the atoms do not see.
      if (!(energies[row]! > 1e-24 * first[row]!) || !(curvature > 0)) continue;
      const length = energies[row]! / curvature;
      const start = row * columns;
      const end = start + columns;
      for (let index = start; index < end; index++) {
        fitted.data[index]! += length * direction.data[index]!;
        residual.data[index]! -= length * image.data[index]! * support[index]!;
      }
      const energy = dot(residual.data, residual.data, row, columns);
      const turn = energy / energies[row]!;
      energies[row] = energy;
      for (let index = start; index < end; index++) {
        direction.data[index] = residual.data[index]! + turn * direction.data[index]!;
      }
    }
  }
  return fitted;
}

function dot(a: Float64Array, b: Float64Array, row: number, columns: number): number {
  let sum = 0;
  for (let index = row * columns; index < (row + 1) * columns; index++) sum += a[index]! * b[index]!;
  return sum;
}
