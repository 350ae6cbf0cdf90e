import { gemm, type Matrix } from '@quern/linalg';
import type { NormalEquations } from './fitOnSupport.ts';

/** ||Y - C D||_F^2 / ||Y||_F^2 by the normal equations, `energy` being ||Y||_F^2. Cost: outFeatures atomCount^2 multiply-adds. */
export async function remainder(
  coefficients: Matrix<Float64Array>,
  { atomGram, correlations }: NormalEquations,
  energy: number,
): Promise<number> {
  const image = await gemm(coefficients, atomGram);
  let sum = energy;
  for (let index = 0; index < image.data.length; index++) {
    sum += coefficients.data[index]! * (image.data[index]! - 2 * correlations.data[index]!);
  }
  return Math.max(0, sum / energy);
}
