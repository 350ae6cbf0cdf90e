import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { parseOptions } from '../parseOptions.ts';
import { type CospadiOptions, cospadiOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnByPursuit } from './learnByPursuit.ts';
import { solveDictionary } from './solveDictionary.ts';
import { whitenWeight } from './whitenWeight.ts';

/**
 * CoSpaDi: a dictionary of the whitened weight by K-SVD and orthogonal matching pursuit, W = coefficients dictionary.
 *
 * Objective: ||(W - C D) X||_F, the same number of nonzeros for every output.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: arXiv:2509.22075. Differs from it: the mask counts (see dictionarySize), coefficients are fitted to the dictionary as
 * it is stored; there may be more atoms than inputs.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnByPursuit; float64 throughout.
 */
export async function cospadi(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: CospadiOptions,
): Promise<LowRankWeight> {
  const { ratio, atomsPerNonzero, sweeps, seed } = parseOptions(cospadiOptions, options, 'cospadi');
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return solveDictionary(await whitenWeight(weight, statistics), async ({ target }) => {
    const size = dictionarySize(shape, { ratio, atomsPerNonzero, mostAtoms: Number.POSITIVE_INFINITY });
    return { code: await learnByPursuit(target, size, { sweeps, seed }), size };
  });
}
