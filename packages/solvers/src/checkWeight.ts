import { CompressionError } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/**
 * Checks a weight `[outFeatures, inFeatures]` before a solver touches it.
 *
 * Errors: INVALID_SHAPE when data and shape disagree or a side is empty; NON_FINITE_WEIGHT with count and first index.
 * Cost: one read per element.
 */
export function checkWeight(weight: Matrix<Float32Array>): void {
  checkWeightShape(weight);
  const { columns, data } = weight;
  // x - x is 0 for a finite x, NaN otherwise.
  let residue = 0;
  for (let index = 0; index < data.length; index++) residue += data[index]! - data[index]!;
  if (residue === 0) return;
  const count = data.reduce((total, value) => total + (Number.isFinite(value) ? 0 : 1), 0);
  const firstIndex = data.findIndex(value => !Number.isFinite(value));
  throw new CompressionError(
    'NON_FINITE_WEIGHT',
    `The weight has ${count} values that are NaN or infinite, the first (${data[firstIndex]}) at row ${Math.floor(firstIndex / columns)}, ` +
      `column ${firstIndex % columns}; a grid needs finite values: repair or exclude this site.`,
    { count, firstIndex },
  );
}

/** The part of {@link checkWeight} that reads no values. Errors: INVALID_SHAPE. */
export function checkWeightShape(weight: Matrix<Float32Array>): void {
  const { rows, columns, data } = weight;
  const wholeSides = Number.isInteger(rows) && Number.isInteger(columns) && rows > 0 && columns > 0;
  if (!wholeSides || data.length !== rows * columns) {
    throw new CompressionError(
      'INVALID_SHAPE',
      `A weight of ${rows} x ${columns} must have at least one element and ${rows * columns} values, it has ${data.length}.`,
      { rows, columns, length: data.length },
    );
  }
}
