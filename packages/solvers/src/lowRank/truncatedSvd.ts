import type { LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { scaleMetric } from './inputMetric.ts';
import { type LowRankOptions, lowRankOptions } from './lowRankOptions.ts';
import { solveLowRank } from './solveLowRank.ts';

/**
 * Truncates the singular values of the weight itself; needs no data, and is of no use on language models without them.
 *
 * Objective: ||W - left right||_F. Source: Eckart and Young (1936).
 * `weight` `[outFeatures, inFeatures]` stays as it is. On grids the right factor is rounded to nearest.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, SOLVER_FAILED for factors above 65504.
 * Cost: see truncate.
 */
export async function truncatedSvd(weight: Matrix<Float32Array>, options: LowRankOptions): Promise<LowRankWeight> {
  const settings = parseOptions(lowRankOptions, options, 'svd');
  checkWeight(weight);
  return solveLowRank({ weight, gram: null }, scaleMetric(new Float64Array(weight.columns).fill(1)), settings);
}
