import { CompressionError } from '@quern/core';
import { invertPositiveDefinite, type Matrix } from '@quern/linalg';

/**
 * (A + shift I)^-1 of a positive semidefinite A, in its precision; ten times the shift as often as rounding makes the sum indefinite.
 *
 * Errors: SOLVER_FAILED for NaN. Cost: an inverse in float64.
 */
export async function shiftedInverse<Data extends Float32Array | Float64Array>(
  { rows, columns, data }: Matrix<Data>,
  shift: number,
): Promise<Matrix<Data>> {
  for (let own = shift; Number.isFinite(own); own *= 10) {
    const shifted = new Float64Array(data);
    for (let index = 0; index < shifted.length; index += columns + 1) shifted[index]! += own;
    const { matrix } = await invertPositiveDefinite({ rows, columns, data: shifted });
    if (matrix === null) continue;
    const result = data.slice() as Data;
    result.set(matrix.data);
    return { rows, columns, data: result };
  }
  throw new CompressionError('SOLVER_FAILED', 'The Gram of the atoms holds values that are not finite.', { rows });
}
