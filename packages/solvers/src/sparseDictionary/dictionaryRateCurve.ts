import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { parseOptions } from '../parseOptions.ts';
import type { StackedSite } from '../solver.ts';
import { curveOf } from './dictionaryCurve.ts';
import { dictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import { dictionaryShape } from './dictionaryShape.ts';
import { dictionarySize } from './dictionarySize.ts';
import { learnAtBest, TRIAL_SWEEPS } from './learnAtBest.ts';
import { sideOf } from './sideOf.ts';

/** Most weights choose 2 to 4. */
const ATOMS_PER_NONZERO = 2.8;

/**
 * What weights lose at falling rates by `dictionary`, with few sweeps: in float16 as it is learnt, with one number of atoms per nonzero; on grids
 * as it is stored, with the best of several, so that methods on other grids compare with it.
 *
 * Cost: at each of up to eight rates ten sweeps; on grids ten more for each number of atoms that is tried, three or four, and storeCode or
 * storeOutputCode.
 */
export async function dictionaryRateCurve(
  sites: readonly StackedSite[],
  options: Omit<DictionaryOptions, 'ratio'>,
): Promise<RatePoint[]> {
  const settings = parseOptions(dictionaryOptions, { ...options, ratio: 0.5 }, 'dictionary');
  const { atomsPerNonzero = ATOMS_PER_NONZERO } = settings;
  const format = dictionaryFormat(settings);
  const side = await sideOf(sites, format, dictionaryShape);
  return curveOf(side.shape, format, async ratio => {
    if (format.bits < 16) {
      const request = { ratio, atomsPerNonzero: settings.atomsPerNonzero, sweeps: TRIAL_SWEEPS, format };
      const code = await learnAtBest(side, request);
      return (await code.store())[0]!.convergence!.objectives.at(-1)!;
    }
    const size = dictionarySize(side.shape, { ratio, atomsPerNonzero, format });
    return (await side.learn(size, TRIAL_SWEEPS)).objectives.at(-1)!;
  });
}
