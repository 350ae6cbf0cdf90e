import { gemm, type Matrix } from '@quern/linalg';
import { fitOnSupport, type NormalEquations } from './fitOnSupport.ts';
import { keepLargest } from './keepLargest.ts';

const FIT_STEPS = 8;

/**
 * One step of hard-thresholding pursuit: along the gradient, the largest coefficients of the whole matrix stay, least squares on them.
 *
 * The step is that of steepest descent on the present support, for all rows together.
 * Source: Foucart 2011, with the step of Blumensath and Davies 2010. Differs from them: one threshold for the matrix, not one for
 * each signal: the mask takes the same bits.
 * Cost: FIT_STEPS + 3 products of outFeatures atomCount^2 multiply-adds.
 */
export async function pursueSupport(
  coefficients: Matrix<Float64Array>,
  equations: NormalEquations,
  nonzeroCount: number,
): Promise<Matrix<Float64Array>> {
  const { atomGram, correlations } = equations;
  const { rows, columns } = coefficients;
  const gradient = await gemm(coefficients, atomGram, {
    alpha: -1,
    beta: 1,
    output: { rows, columns, data: correlations.data.slice() },
  });
  const onSupport = { rows, columns, data: gradient.data.slice() };
  const isEmpty = coefficients.data.every(value => value === 0);
  for (let index = 0; index < onSupport.data.length && !isEmpty; index++) {
    if (coefficients.data[index] === 0) onSupport.data[index] = 0;
  }
  // After a fit the gradient on the support is about 0: then that of the whole matrix tells the curvature.
  const probe = sumOfSquares(onSupport.data) > 1e-6 * sumOfSquares(gradient.data) ? onSupport : gradient;
  const image = await gemm(probe, atomGram);
  const curvature = probe.data.reduce((sum, value, index) => sum + value * image.data[index]!, 0);
  const length = curvature > 0 ? sumOfSquares(probe.data) / curvature : 0;
  const moved = { rows, columns, data: coefficients.data.slice() };
  for (let index = 0; index < moved.data.length; index++) moved.data[index]! += length * gradient.data[index]!;
  keepLargest(moved.data, nonzeroCount);
  return fitOnSupport(moved, equations, FIT_STEPS);
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
