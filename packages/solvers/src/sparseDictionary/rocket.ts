import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { parseOptions } from '../parseOptions.ts';
import { CANDIDATES } from './candidates.ts';
import { type RocketOptions, rocketOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnBest } from './learnBest.ts';
import { learnByImportance } from './learnByImportance.ts';
import { solveDictionary } from './solveDictionary.ts';

/**
 * ROCKET: coordinates along the principal directions of the whitened weight, the most important kept, and a dictionary fitted to them
 * once, W = coefficients dictionary.
 *
 * Objective: ||(W - C D) X||_F. How many atoms there are for a nonzero is tried for each weight, unless `atomsPerNonzero` says it.
 * Source: arXiv:2602.11008. Differs from it: the mask counts (see dictionarySize), coefficients are fitted to the dictionary as it is
 * stored, one ratio for every site, where the paper spreads it by a knapsack.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnByImportance, for each candidate; float64 throughout.
 */
export async function rocket(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: RocketOptions,
): Promise<LowRankWeight> {
  const { ratio, atomsPerNonzero } = parseOptions(rocketOptions, options, 'rocket');
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return solveDictionary(weight, statistics, async (whitened, whitening) => {
    const candidates = atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero];
    const sizes = candidates.map(candidate => dictionarySize(shape, ratio, candidate));
    return learnBest(sizes, size => learnByImportance(whitened, size, whitening));
  });
}
