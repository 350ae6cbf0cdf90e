import type { Factor, LowRankWeight } from '@quern/core';
import { sharedFactorName } from '../lowRank/sharedFactorName.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryShape, widthsOf } from './dictionaryShape.ts';
import type { DictionarySide } from './dictionarySide.ts';
import { learnOutputAtoms } from './learnOutputAtoms.ts';
import { outputLearning, outputProblem } from './outputProblem.ts';
import { padSupport } from './padSupport.ts';
import { sideBySide } from './sideBySide.ts';
import { splitStack } from './splitStack.ts';
import type { SiteStack } from './stackSites.ts';
import { type StoredOutputCode, storeOutputCode } from './storeOutputCode.ts';

/**
 * Atoms over the outputs of a stack, W = dictionary coefficients; see learnOutputAtoms and storeOutputCode. Sites that read one input have rows of the
 * dictionary each and the coefficients in common; those of several inputs the dictionary.
 *
 * Cost: an eigenproblem for each input, of inFeatures, and one of outFeatures, in float64; a sweep as in learnOutputAtoms. In memory three
 * matrices [inFeatures, inFeatures] in float64 while it begins, then one and two in float32 for each input.
 */
export async function overOutputs(
  { segments, rowScales }: SiteStack,
  shape: DictionaryShape,
  format: DictionaryFormat,
): Promise<DictionarySide> {
  const problem = await outputProblem(segments);
  const learning = await outputLearning(problem);
  const widths = widthsOf(shape);
  return {
    shape,
    async learn(size, sweeps) {
      const { atoms, coefficients, objectives, stoppedBy } = await learnOutputAtoms(learning, size, sweeps);
      const store = async () => {
        const whole = { rows: 1, columns: coefficients.data.length, data: coefficients.data };
        const padded = sideBySide(padSupport(whole, size.nonzeroCount).data, atoms.rows, widths);
        const stored = await storeOutputCode(problem, rowScales, { atoms, coefficients: padded }, format);
        const convergence = { objectives: [...objectives, stored.remaining], stoppedBy };
        return weightsOf(stored, shape.stackedOutputs).map(weight => ({ ...weight, convergence }));
      };
      return { objectives, store };
    },
  };
}

function weightsOf({ left, rights }: StoredOutputCode, outputs: readonly number[] = []): LowRankWeight[] {
  const common = { kind: 'lowRank', outFeatures: left.outFeatures, left, sharedRight: null } as const;
  if (rights.length === 1) {
    const [right] = rights as [Factor];
    return splitStack({ ...common, inFeatures: right.inFeatures, right }, outputs);
  }
  const sharedLeft = { name: sharedFactorName(left), siteCount: rights.length };
  return rights.map(right => ({ ...common, inFeatures: right.inFeatures, right, sharedLeft }));
}
