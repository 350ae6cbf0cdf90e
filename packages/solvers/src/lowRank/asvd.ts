import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { z } from 'zod';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { scaleMetric } from './inputMetric.ts';
import { lowRankOptions, withOneSize } from './lowRankOptions.ts';
import { solveLowRank } from './solveLowRank.ts';

/** Options of ASVD: those of every low-rank method, and how strongly activations count. */
export const asvdOptions = withOneSize(
  z.strictObject({
    ...lowRankOptions.shape,
    alpha: z.number().min(0).max(2).default(0.5).describe('power of the mean |activation|; 0 is plain SVD'),
  }),
);

/** What a caller gives. */
export type AsvdOptions = z.input<typeof asvdOptions>;

/** Scale of an input that was never active, relative to the largest: its weights are kept where rank is left. */
const SMALLEST_SCALE = 1e-6;

/**
 * Truncates the singular values of the weight with each input scaled by its mean |activation|^alpha.
 *
 * Objective: ||(W - left right) S||_F, S = diag(mean|x|^alpha). Source: ASVD, arXiv:2312.05821, scaling by the absolute mean.
 * Differs from it: dead inputs get 1e-6 of the largest scale, not 1e-6; no search for ranks by perplexity, see allocation/.
 * `weight` `[outFeatures, inFeatures]` and `statistics` stay as they are. On grids the factors are quantised under the Gram.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED. Cost: see truncate.
 */
export async function asvd(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: AsvdOptions,
): Promise<LowRankWeight> {
  const settings = parseOptions(asvdOptions, options, 'asvd');
  checkWeight(weight);
  const { inputGram, meanAbsolute } = checkStatistics(statistics, weight.columns);
  const scales = meanAbsolute.map(mean => mean ** settings.alpha);
  const largest = scales.reduce((maximum, scale) => Math.max(maximum, scale), 0);
  const metric = scaleMetric(scales.map(scale => Math.max(scale, SMALLEST_SCALE * largest)));
  return solveLowRank({ weight, gram: inputGram }, metric, settings);
}
