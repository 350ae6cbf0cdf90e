import type { Matrix } from '@quern/linalg';
import { checkSameShape } from './checkSameShape.ts';

/**
 * ||W - reconstruction||_F / ||W||_F, dimensionless; 0 for a weight of zeros that is reconstructed exactly, else infinite.
 *
 * Errors: INVALID_SHAPE when the shapes differ. Cost: two reads per weight, sums in float64.
 */
export function relativeWeightError(weight: Matrix<Float32Array>, reconstruction: Matrix<Float32Array>): number {
  checkSameShape(weight, reconstruction);
  const original = weight.data;
  const approximate = reconstruction.data;
  let errorEnergy = 0;
  let energy = 0;
  for (let index = 0; index < original.length; index++) {
    const value = original[index]!;
    const error = value - approximate[index]!;
    errorEnergy += error * error;
    energy += value * value;
  }
  return errorEnergy === 0 ? 0 : Math.sqrt(errorEnergy / energy);
}
