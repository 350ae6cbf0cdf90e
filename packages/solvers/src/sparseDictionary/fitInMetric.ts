import { gemm, type Matrix } from '@quern/linalg';
import { nonzerosOf } from './nonzerosOf.ts';

/** What least squares for coefficients over inputs needs of atoms over outputs. */
export interface MetricSystem {
  /** A A^T `[atomCount, atomCount]`. */
  readonly atomGram: Matrix<Float64Array>;
  /** A Y R `[atomCount, inFeatures]`. */
  readonly products: Matrix<Float64Array>;
  /** R `[inFeatures, inFeatures]`. */
  readonly correlations: Matrix<Float64Array>;
}

/**
 * Conjugate gradients on tr((Y - A^T C) R (Y - A^T C)^T) over the values of C `[atomCount, inFeatures]`, whose zeros stay: all of them one
 * problem. The objective never rises.
 *
 * Source: Hestenes and Stiefel 1952, restricted to the support. Cost: `steps` + 1 times atomCount inFeatures (atomCount + inFeatures)
 * multiply-adds; four matrices like C, which stays as it is.
 */
export async function fitInMetric(
  coefficients: Matrix<Float64Array>,
  { atomGram, products, correlations }: MetricSystem,
  steps: number,
): Promise<Matrix<Float64Array>> {
  const fitted = { ...coefficients, data: coefficients.data.slice() };
  const support = nonzerosOf(coefficients.data);
  const imageOf = async (matrix: Matrix<Float64Array>) => gemm(await gemm(atomGram, matrix), correlations);
  const start = await imageOf(fitted);
  const residual = products.data.map((value, index) => (value - start.data[index]!) * support[index]!);
  const direction = { ...coefficients, data: residual.slice() };
  let energy = dot(residual, residual);
  const first = energy;
  for (let step = 0; step < steps; step++) {
    const image = await imageOf(direction);
    const curvature = dot(direction.data, image.data);
    if (!(energy > 1e-24 * first) || !(curvature > 0)) break;
    const length = energy / curvature;
    for (let index = 0; index < residual.length; index++) {
      fitted.data[index]! += length * direction.data[index]!;
      residual[index]! -= length * image.data[index]! * support[index]!;
    }
    const next = dot(residual, residual);
    const turn = next / energy;
    energy = next;
    for (let index = 0; index < residual.length; index++) {
      direction.data[index] = residual[index]! + turn * direction.data[index]!;
    }
  }
  return fitted;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += a[index]! * b[index]!;
  return sum;
}
