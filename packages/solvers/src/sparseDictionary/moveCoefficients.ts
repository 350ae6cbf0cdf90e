import { gemm, type Matrix } from '@quern/linalg';
import { keepLargest } from './keepLargest.ts';
import { shiftedInverse } from './shiftedInverse.ts';
import type { SparseCode } from './sparseCode.ts';

/** How much a step is held back, relative to the curvature along one atom, which is 1. */
const PROXIMITY = 0.5;

/** Of the whole way to the proximal point; up to 2 the step alone, before the threshold, never raises the objective. */
const STEP = 2;

/**
 * New coefficients for given atoms: from the old ones C twice the way to the proximal point argmin over B of
 * ||Y - B D||_F^2 + p ||B - C||_F^2, of which the `nonzeroCount` largest of the whole matrix stay.
 *
 * With p to infinity this is iterative hard thresholding (Blumensath and Davies 2009); here the step sees how atoms lean on each other,
 * which gradients and conjugate gradients on a fixed support do not. One threshold for the matrix: the mask takes the same bits.
 * Cost: outFeatures atomCount (atomCount + inFeatures) + atomCount^2 inFeatures multiply-adds, an inverse, a selection.
 */
export async function moveCoefficients<Data extends Float32Array | Float64Array>(
  target: Matrix<Data>,
  { coefficients, atoms }: SparseCode<Data>,
  nonzeroCount: number,
): Promise<Matrix<Data>> {
  const inverse = await shiftedInverse(await gemm(atoms, atoms, { transposeB: true }), PROXIMITY);
  const pulled = await gemm(target, atoms, { transposeB: true });
  const old = coefficients.data;
  for (let index = 0; index < old.length; index++) pulled.data[index]! += PROXIMITY * old[index]!;
  const moved = await gemm(pulled, inverse);
  for (let index = 0; index < old.length; index++) {
    moved.data[index] = old[index]! + STEP * (moved.data[index]! - old[index]!);
  }
  keepLargest(moved.data, nonzeroCount);
  return moved;
}
