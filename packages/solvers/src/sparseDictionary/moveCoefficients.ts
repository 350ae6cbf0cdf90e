import { gemm, type Matrix } from '@quern/linalg';
import { shiftedInverse } from './shiftedInverse.ts';
import type { SparseCode } from './sparseCode.ts';

/** Of the whole way to the proximal point; up to 2 the step alone, before the threshold, never raises the objective. */
const STEP = 2;

/** How far coefficients may move. */
export interface CoefficientMove<Data extends Float32Array | Float64Array> {
  /** p below: how much the step is held back, relative to the curvature along one atom, which is 1. */
  readonly proximity: number;
  /** Sets all values to 0 that do not stay, in place. */
  readonly threshold: (moved: Matrix<Data>) => void;
  /** Two matrices like the coefficients that are overwritten in place of new ones; the second receives the result. */
  readonly scratch?: readonly [Matrix<Data>, Matrix<Data>];
}

/**
 * New coefficients for given atoms: from the old ones C twice the way to the proximal point argmin over B of
 * ||Y - B D||_F^2 + p ||B - C||_F^2, of which stays what `threshold` leaves.
 *
 * With p to infinity this is iterative hard thresholding (Blumensath and Davies 2009); here the step sees how atoms lean on each other,
 * which gradients and conjugate gradients on a fixed support do not.
 * Cost: outFeatures atomCount (atomCount + inFeatures) + atomCount^2 inFeatures multiply-adds and an inverse.
 */
export async function moveCoefficients<Data extends Float32Array | Float64Array>(
  target: Matrix<Data>,
  { coefficients, atoms }: SparseCode<Data>,
  { proximity, threshold, scratch }: CoefficientMove<Data>,
): Promise<Matrix<Data>> {
  const inverse = await shiftedInverse(await gemm(atoms, atoms, { transposeB: true }), proximity);
  const sum = await gemm(target, atoms, { transposeB: true, ...(scratch && { output: scratch[0] }) });
  const old = coefficients.data;
  for (let index = 0; index < old.length; index++) sum.data[index]! += proximity * old[index]!;
  const result = await gemm(sum, inverse, scratch && { output: scratch[1] });
  for (let index = 0; index < old.length; index++) {
    result.data[index] = old[index]! + STEP * (result.data[index]! - old[index]!);
  }
  threshold(result);
  return result;
}
