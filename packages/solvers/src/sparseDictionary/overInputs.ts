import { toFloat32 } from '../lowRank/toFloat32.ts';
import type { DictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryShape, widthsOf } from './dictionaryShape.ts';
import type { DictionarySide } from './dictionarySide.ts';
import { leadingDirections } from './leadingDirections.ts';
import { LEARNING, type LearningSettings, learnDictionary } from './learnDictionary.ts';
import { padSupport } from './padSupport.ts';
import { splitStack } from './splitStack.ts';
import { type SiteStack, whitenStack } from './stackSites.ts';
import { storeCode } from './storeCode.ts';

/**
 * Atoms over the inputs of a stack whose sites read one input, W = coefficients dictionary; see learnDictionary.
 *
 * Errors: NOT_POSITIVE_DEFINITE. Cost: Cholesky and an eigenproblem of inFeatures, a sweep as in learnDictionary.
 */
export async function overInputs(
  stack: SiteStack,
  shape: DictionaryShape,
  format: DictionaryFormat,
): Promise<DictionarySide> {
  const problem = await whitenStack(stack);
  const directions = toFloat32(await leadingDirections(problem.target, problem.target.columns));
  const target = toFloat32(problem.target);
  return {
    shape,
    async learn(size, sweeps) {
      const code = await learnDictionary({ target, directions }, size, sweeps, learningFor(format));
      const store = async () => {
        const coefficients = padSupport(code.coefficients, size.nonzeroCount);
        return splitStack(await storeCode(problem, { ...code, coefficients }, format), widthsOf(shape));
      };
      return { objectives: code.objectives, store };
    },
  };
}

/** Long moves find atoms that lean on each other; what is rounded afterwards does better without. */
function learningFor({ bits }: DictionaryFormat): LearningSettings {
  return bits === 16 ? LEARNING : { ...LEARNING, overshoot: 0.9, proximity: [0.5, 0.5] };
}
