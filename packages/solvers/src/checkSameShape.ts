import { CompressionError } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/** Errors: INVALID_SHAPE when a weight and its reconstruction differ in shape. */
export function checkSameShape(weight: Matrix, reconstruction: Matrix): void {
  const same =
    weight.rows === reconstruction.rows &&
    weight.columns === reconstruction.columns &&
    weight.data.length === reconstruction.data.length;
  if (same) return;
  throw new CompressionError(
    'INVALID_SHAPE',
    `The weight is ${weight.rows} x ${weight.columns}, its reconstruction ${reconstruction.rows} x ${reconstruction.columns}.`,
    { weight: [weight.rows, weight.columns], reconstruction: [reconstruction.rows, reconstruction.columns] },
  );
}
