import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { z } from 'zod';
import { parseOptions } from '../parseOptions.ts';
import { checkGroup } from './checkGroup.ts';
import { choleskyWhitening } from './choleskyWhitening.ts';
import { chooseRank } from './chooseRank.ts';
import { gramMetric } from './inputMetric.ts';
import { lowRankOptions, withOneSize } from './lowRankOptions.ts';
import { sharedFactorName } from './sharedFactorName.ts';
import { stackRows } from './stackRows.ts';
import { followRight, storeRight } from './storeFactors.ts';
import { sumOf } from './sumOf.ts';
import { toFloat64 } from './toFloat64.ts';
import { truncate } from './truncate.ts';

/** Options of basis sharing: those of every low-rank method, and how many blocks share a factor. */
export const basisSharingOptions = withOneSize(
  z.strictObject({
    ...lowRankOptions.shape,
    blocksPerGroup: z.int().min(1).max(64).default(2).describe('blocks that have the right factor in common'),
  }),
);

/** What a caller gives. */
export type BasisSharingOptions = z.input<typeof basisSharingOptions>;

/**
 * Basis sharing: the sites of several blocks get one right factor in common and a left factor each.
 *
 * Objective: sum over sites of ||(W_i - left_i right) S||_F^2 with S S^T = the sum of the sites' Grams, for the right factor;
 * ||(W_i - left_i right) X_i||_F with each site's own inputs X_i for its left factor.
 * Source: arXiv:2410.03765 (there y = x W, and what is shared stands on the left). Differs from it: left factors are
 * fitted anew, by least squares, to their own inputs. The paper finds that sites that read the residual stream (q, k, v, gate, up)
 * gain by it and the others (o, down) lose.
 * `weights` `[outFeatures, inFeatures]`, all of the same shape, with one entry of `statistics` each; they stay as they are. The rank
 * from a ratio counts the right factor once per group.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see truncate, for the weights stacked; for each site rank inFeatures (inFeatures + outFeatures) multiply-adds more.
 */
export async function basisSharing(
  weights: readonly Matrix<Float32Array>[],
  statistics: readonly (InputStatistics | null)[],
  options: BasisSharingOptions,
): Promise<LowRankWeight[]> {
  const settings = parseOptions(basisSharingOptions, options, 'basis-sharing');
  const grams = checkGroup(weights, statistics);
  const shape = { outFeatures: weights[0]!.rows, inFeatures: weights[0]!.columns };
  const siteCount = weights.length;
  const rank = chooseRank({ ...shape, siteCount }, settings);
  const gram = sumOf(grams);
  const stacked = stackRows(weights);
  const factors = await truncate(stacked, gramMetric(gram, choleskyWhitening), rank);
  const right = await storeRight({ weight: stacked, gram }, factors, settings);
  const sharedRight = { name: sharedFactorName(right), siteCount };
  const results: LowRankWeight[] = [];
  for (const [index, weight] of weights.entries()) {
    const problem = { weight: toFloat64(weight), gram: grams[index]! };
    const left = await followRight(problem, right, settings);
    results.push({ kind: 'lowRank', ...shape, left, right, sharedRight });
  }
  return results;
}
