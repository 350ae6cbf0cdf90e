import { CompressionError, type DenseWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/**
 * The matrix with each value rounded to the nearest float16.
 *
 * Errors: SOLVER_FAILED with the value when one is above 65504 or not finite. `subject` names the matrix in the message.
 * Cost: two conversions per value.
 */
export function toDenseWeight(matrix: Matrix, subject: string): DenseWeight {
  const data = new Float32Array(new Float16Array(matrix.data));
  for (let index = 0; index < data.length; index++) {
    if (Number.isFinite(data[index]!)) continue;
    const value = matrix.data[index]!;
    throw new CompressionError(
      'SOLVER_FAILED',
      `${subject} has ${value} at row ${Math.floor(index / matrix.columns)}, column ${index % matrix.columns}; the largest float16 is 65504: quantise this site, or exclude it.`,
      { value, index, limit: 65504 },
    );
  }
  return { kind: 'dense', outFeatures: matrix.rows, inFeatures: matrix.columns, data };
}
