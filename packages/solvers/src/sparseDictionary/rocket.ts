import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { parseOptions } from '../parseOptions.ts';
import { dictionaryCurve } from './dictionaryCurve.ts';
import { type RocketOptions, rocketOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnBest } from './learnBest.ts';
import { learnByImportance } from './learnByImportance.ts';
import { type SizedCode, solveDictionary } from './solveDictionary.ts';
import { type WhitenedWeight, whitenWeight } from './whitenWeight.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.8, 4, 5.6];

/**
 * ROCKET: coordinates along the principal directions of the whitened weight, the most important kept, and a dictionary fitted to them
 * once, W = coefficients dictionary.
 *
 * Objective: ||(W - C D) X||_F. How many atoms there are for a nonzero is tried for each weight, unless `atomsPerNonzero` says it. What
 * a model spreads by its knapsack over rate and atoms per nonzero comes from {@link rocketCurve}.
 * One pass: it reports what the coordinates leave over and what the fit does.
 * Source: arXiv:2602.11008. Differs from it: the mask counts (see dictionarySize), coefficients are fitted to the dictionary as it is
 * stored.
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
  return solveDictionary(await whitenWeight(weight, statistics), problem => learnAt(problem, ratio, atomsPerNonzero));
}

/** What a weight loses at falling rates, each with the best number of atoms per nonzero: ROCKET's relative error as value. */
export function rocketCurve(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  { atomsPerNonzero }: Pick<RocketOptions, 'atomsPerNonzero'>,
): Promise<RatePoint[]> {
  return dictionaryCurve(weight, statistics, async (problem, ratio) => {
    const { code } = await learnAt(problem, ratio, atomsPerNonzero);
    return code.objectives.at(-1)!;
  });
}

function learnAt(
  { target, whitening }: WhitenedWeight,
  ratio: number,
  atomsPerNonzero: number | undefined,
): Promise<SizedCode> {
  const shape = { outFeatures: target.rows, inFeatures: target.columns };
  const candidates = atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero];
  const sizes = candidates.map(candidate => dictionarySize(shape, { ratio, atomsPerNonzero: candidate }));
  return learnBest(sizes, size => learnByImportance(target, size, whitening));
}
