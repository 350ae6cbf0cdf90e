import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { parseOptions } from '../parseOptions.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import { type DictionarySize, dictionarySize } from './dictionarySize.ts';
import { learnDictionary } from './learnDictionary.ts';
import { type SizedCode, solveDictionary } from './solveDictionary.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES = [1.2, 1.5, 2, 2.8, 4];

/** Sweeps of a trial. */
const TRIAL_SWEEPS = 3;

/**
 * A dictionary of unit atoms that need not be orthogonal, and sparse coefficients, W = coefficients dictionary; nonzeros stand
 * wherever in the matrix they help most.
 *
 * Objective: ||(W - C D) X||_F at a given number of stored bits, the mask counted (see dictionarySize). How many atoms there are for
 * a nonzero is tried for each weight, unless `atomsPerNonzero` says it.
 * Source: our own; see learnDictionary for its parts.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnDictionary; three sweeps more for each candidate. Float64 throughout.
 */
export async function dictionary(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: DictionaryOptions,
): Promise<LowRankWeight> {
  const { ratio, atomsPerNonzero, sweeps } = parseOptions(dictionaryOptions, options, 'dictionary');
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return solveDictionary(weight, statistics, async whitened => {
    const candidates = (atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero]).map(candidate =>
      dictionarySize(shape, ratio, candidate),
    );
    return learnBest(whitened, candidates, sweeps);
  });
}

async function learnBest(
  whitened: Matrix<Float64Array>,
  candidates: readonly DictionarySize[],
  sweeps: number,
): Promise<SizedCode> {
  let size = candidates[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates.length > 1 ? candidates : []) {
    const objective = (await learnDictionary(whitened, candidate, TRIAL_SWEEPS)).objectives.at(-1)!;
    if (objective >= least) continue;
    least = objective;
    size = candidate;
  }
  return { code: await learnDictionary(whitened, size, sweeps), size };
}
