import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { parseOptions } from '../parseOptions.ts';
import { dictionaryCurve } from './dictionaryCurve.ts';
import { type CompotOptions, compotOptions } from './dictionaryOptions.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnOrthonormal } from './learnOrthonormal.ts';
import { solveDictionary } from './solveDictionary.ts';
import { whitenWeight } from './whitenWeight.ts';

/**
 * COMPOT: an orthonormal dictionary of the whitened weight and sparse coefficients, W = coefficients dictionary.
 *
 * Objective: ||(W - C D) X||_F, the same number of nonzeros for every output.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: arXiv:2602.15200. Differs from it: the mask counts (see dictionarySize), coefficients are fitted to the dictionary as
 * it is stored, one ratio for every site.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see learnOrthonormal; float64 throughout.
 */
export async function compot(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: CompotOptions,
): Promise<LowRankWeight> {
  const { ratio, atomsPerNonzero, sweeps } = parseOptions(compotOptions, options, 'compot');
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return solveDictionary(await whitenWeight(weight, statistics), async ({ target }) => {
    const size = dictionarySize(shape, { ratio, atomsPerNonzero });
    return { code: await learnOrthonormal(target, size, sweeps), size };
  });
}

const CURVE_SWEEPS = 3;

/** What a weight loses at falling rates by {@link compot}, after three sweeps; that of CoSpaDi is alike. */
export function compotCurve(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  { atomsPerNonzero = 2 }: Pick<CompotOptions, 'atomsPerNonzero'>,
): Promise<RatePoint[]> {
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  return dictionaryCurve(weight, statistics, async ({ target }, ratio) => {
    const code = await learnOrthonormal(target, dictionarySize(shape, { ratio, atomsPerNonzero }), CURVE_SWEEPS);
    return code.objectives.at(-1)!;
  });
}
