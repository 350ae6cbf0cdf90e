import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learnOrthonormal.ts';
import type { SizedCode } from './solveDictionary.ts';

/** The code of the size that leaves least over, the first of equal ones. `sizes` is not empty. */
export async function learnBest(
  sizes: readonly DictionarySize[],
  learn: (size: DictionarySize) => Promise<LearntCode>,
): Promise<SizedCode> {
  let best: SizedCode | null = null;
  for (const size of sizes) {
    const code = await learn(size);
    if (best === null || code.objectives.at(-1)! < best.code.objectives.at(-1)!) best = { code, size };
  }
  return best!;
}
