import { CompressionError, type InputStatistics } from '@quern/core';

/** Largest difference of two mirrored elements, relative to what Cauchy-Schwarz allows them. */
const SYMMETRY_TOLERANCE = 1e-5;

/** Side of the squares that are compared with their mirror images: both stay in the first cache. */
const TILE = 32;

/**
 * Checks that statistics fit a weight with `inFeatures` inputs and can be what calibration summed: a finite, symmetric Gram
 * of at least one token with some energy.
 *
 * Errors: INVALID_SHAPE, NON_FINITE_ACTIVATION, SOLVER_FAILED (asymmetric, or no token reached the site).
 * Cost: one read per element of the Gram.
 */
export function checkStatistics(statistics: InputStatistics | null, inFeatures: number): InputStatistics {
  if (statistics === null) {
    throw new CompressionError('SOLVER_FAILED', 'This solver needs the Gram of its inputs: give calibration text.', {});
  }
  const { inputGram: gram, tokenCount } = statistics;
  if (gram.rows !== inFeatures || gram.columns !== inFeatures || gram.data.length !== inFeatures * inFeatures) {
    throw new CompressionError(
      'INVALID_SHAPE',
      `The Gram is ${gram.rows} x ${gram.columns} with ${gram.data.length} values; a weight with ${inFeatures} inputs needs a square one.`,
      { rows: gram.rows, columns: gram.columns, inFeatures },
    );
  }
  let energy = 0;
  for (let row = 0; row < inFeatures; row++) energy += gram.data[row * inFeatures + row]!;
  for (let rowStart = 0; rowStart < inFeatures; rowStart += TILE) {
    for (let columnStart = 0; columnStart <= rowStart; columnStart += TILE) {
      checkTile(gram.data, inFeatures, rowStart, columnStart);
    }
  }
  if (!(energy > 0) || !(tokenCount > 0)) {
    throw new CompressionError(
      'SOLVER_FAILED',
      `No calibration token with a nonzero input reached this site (${tokenCount} tokens, energy ${energy}); use more text or round-to-nearest.`,
      { tokenCount, energy },
    );
  }
  return statistics;
}

function checkTile(data: Float64Array, n: number, rowStart: number, columnStart: number): void {
  const rowEnd = Math.min(rowStart + TILE, n);
  for (let row = rowStart; row < rowEnd; row++) {
    const columnEnd = Math.min(columnStart + TILE, row + 1);
    for (let column = columnStart; column < columnEnd; column++) checkPair(data, n, row, column);
  }
}

function checkPair(data: Float64Array, n: number, row: number, column: number): void {
  const value = data[row * n + column]!;
  const mirrored = data[column * n + row]!;
  if (!Number.isFinite(value) || !Number.isFinite(mirrored)) {
    throw new CompressionError(
      'NON_FINITE_ACTIVATION',
      `The Gram is not finite at (${row}, ${column}): an activation overflowed or was NaN during calibration.`,
      { row, column },
    );
  }
  const difference = Math.abs(value - mirrored);
  if (difference > SYMMETRY_TOLERANCE * Math.sqrt(Math.abs(data[row * n + row]! * data[column * n + column]!))) {
    throw new CompressionError(
      'SOLVER_FAILED',
      `The Gram is not symmetric: ${value} at (${row}, ${column}), ${mirrored} at (${column}, ${row}).`,
      { row, column, value, mirrored },
    );
  }
}
