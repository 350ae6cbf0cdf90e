import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkGroup } from '../lowRank/checkGroup.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { parseOptions } from '../parseOptions.ts';
import { compot } from './compot.ts';
import { type GeopairOptions, geopairOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnPair } from './learnPair.ts';
import { storeSharedCode } from './storeSharedCode.ts';

/**
 * GeoPair: two sites of neighbouring blocks have one dictionary in common, each with coefficients and a Gram of its own.
 *
 * Objective: sum over both of ||(W_i - C_i D) X_i||_F^2, the same number of nonzeros for every output.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: arXiv:2609.25963. Differs from it: the mask counts (see dictionarySize), one ratio for every site, coefficients are fitted to the
 * dictionary as it is stored; a site that is left without another one gets that of `compot`. The start from compot's sweeps, the number of
 * sweeps, the guard that keeps an output's better coefficients and the equal weight of both sites are ours.
 * `weights` `[outFeatures, inFeatures]`, one or two of the same shape, with one entry of `statistics` each; they stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnPair; float64 throughout.
 */
export async function geopair(
  weights: readonly Matrix<Float32Array>[],
  statistics: readonly (InputStatistics | null)[],
  options: GeopairOptions,
): Promise<LowRankWeight[]> {
  const { ratio, atomsPerNonzero, sweeps } = parseOptions(geopairOptions, options, 'geopair');
  const grams = checkGroup(weights, statistics);
  if (weights.length === 1) return [await compot(weights[0]!, statistics[0]!, { ratio, atomsPerNonzero, sweeps })];
  const sites = weights.map((weight, index) => ({ weight: toFloat64(weight), gram: grams[index]! }));
  const [first, second] = sites;
  const shape = { outFeatures: weights[0]!.rows, inFeatures: weights[0]!.columns, siteCount: sites.length };
  const size = dictionarySize(shape, { ratio, atomsPerNonzero });
  return storeSharedCode(sites, await learnPair([first!, second!], size, sweeps), size.nonzeroCount);
}
