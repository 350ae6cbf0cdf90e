import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkGroup } from '../lowRank/checkGroup.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import { stackRows } from '../lowRank/stackRows.ts';
import { sumOf } from '../lowRank/sumOf.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { parseOptions } from '../parseOptions.ts';
import { cospadi } from './cospadi.ts';
import { type CospadiGroupedOptions, cospadiGroupedOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnByPursuit } from './learnByPursuit.ts';
import { splitRows } from './splitRows.ts';
import { storeSharedCode } from './storeSharedCode.ts';

/**
 * CoSpaDi's grouped variant: the sites of several blocks, one above the other, are one weight for K-SVD and orthogonal matching pursuit; they
 * have its dictionary in common, and each has its part of the coefficients.
 *
 * Objective: ||(W - C D) X||_F of the stacked weight with X X^T = the mean of the sites' Grams, the same number of nonzeros for every output.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; what the sweeps report is each site's share by the mean
 * of the Grams, what is left as it is stored that by its own.
 * Source: arXiv:2509.22075 (there y = x W, and the weights stand side by side). Differs from it: the mask counts (see dictionarySize), coefficients
 * are fitted at last to the dictionary as it is stored, by each site's own Gram; a site that is left without another one is that of `cospadi`.
 * `weights` `[outFeatures, inFeatures]`, all of the same shape, with one entry of `statistics` each; they stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnByPursuit, for the weights stacked; float64 throughout.
 */
export async function cospadiGrouped(
  weights: readonly Matrix<Float32Array>[],
  statistics: readonly (InputStatistics | null)[],
  options: CospadiGroupedOptions,
): Promise<LowRankWeight[]> {
  const settings = parseOptions(cospadiGroupedOptions, options, 'cospadi-grouped');
  const { blocksPerGroup: _, ...own } = settings;
  const grams = checkGroup(weights, statistics);
  if (weights.length === 1) return [await cospadi(weights[0]!, statistics[0]!, own)];
  const siteCount = weights.length;
  const shape = { outFeatures: weights[0]!.rows, inFeatures: weights[0]!.columns, siteCount };
  const { ratio, atomsPerNonzero, sweeps, seed } = settings;
  const size = dictionarySize(shape, { ratio, atomsPerNonzero, mostAtoms: Number.POSITIVE_INFINITY });
  const whitening = await choleskyWhitening(sumOf(grams));
  const target = await whitening.apply(stackRows(weights));
  const learnt = await learnByPursuit(target, size, { sweeps, seed, siteCount });
  const code = {
    ...learnt,
    atoms: await whitening.undo(learnt.atoms),
    coefficients: splitRows(learnt.coefficients, siteCount),
  };
  const sites = weights.map((weight, index) => ({ weight: toFloat64(weight), gram: grams[index]! }));
  return storeSharedCode(sites, code, size.nonzeroCount);
}
