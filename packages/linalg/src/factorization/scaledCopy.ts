import type { Matrix } from '../matrix.ts';
import { powerOfTwoAbove } from './powerOfTwoAbove.ts';
import { requireFinite } from './requireFinite.ts';

/**
 * A float64 copy divided by the power of two `unit`, so that the largest size is between 1/2 and 1: squares neither overflow nor
 * vanish. Errors: RangeError for NaN and infinity, in the name of `caller`.
 */
export function scaledCopy(matrix: Matrix, caller: string): { scaled: Matrix<Float64Array>; unit: number } {
  const unit = powerOfTwoAbove(requireFinite(matrix, caller));
  const { rows, columns } = matrix;
  const data = Float64Array.from(matrix.data);
  for (let index = 0; index < data.length; index++) data[index]! /= unit;
  return { scaled: { rows, columns, data }, unit };
}
