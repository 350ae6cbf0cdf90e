import type { DenseWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { z } from 'zod';
import { checkWeight } from './checkWeight.ts';
import { parseOptions } from './parseOptions.ts';
import type { SolverOptions } from './solver.ts';
import { toDenseWeight } from './toDenseWeight.ts';

/** There is nothing to choose. */
export const denseOptions = z.strictObject({});

/**
 * Leaves a weight `[outFeatures, inFeatures]` as it is, in float16.
 *
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, SOLVER_FAILED for values above 65504. Cost: one copy.
 */
export function dense(weight: Matrix<Float32Array>, options: SolverOptions = {}): DenseWeight {
  parseOptions(denseOptions, options, 'dense');
  checkWeight(weight);
  return toDenseWeight(weight, 'The weight');
}
