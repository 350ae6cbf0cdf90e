import type { DictionarySize } from './dictionarySize.ts';
import type { LearntCode } from './learntCode.ts';
import type { SizedCode } from './solveDictionary.ts';

/**
 * The code of the size that leaves least over, sizes in order of one property: from the middle on to the side that is better, as
 * long as it gets better. `sizes` is not empty.
 */
export async function learnBest<Code extends Pick<LearntCode, 'objectives'>>(
  sizes: readonly DictionarySize[],
  learn: (size: DictionarySize) => Promise<Code>,
): Promise<SizedCode<Code>> {
  const at = async (index: number): Promise<SizedCode<Code>> => ({
    code: await learn(sizes[index]!),
    size: sizes[index]!,
  });
  const left = ({ code }: SizedCode<Code>): number => code.objectives.at(-1)!;
  const middle = sizes.length >> 1;
  let best = await at(middle);
  for (const side of [1, -1]) {
    let index = middle + side;
    let moved = false;
    for (; index >= 0 && index < sizes.length; index += side) {
      const next = await at(index);
      if (left(next) >= left(best)) break;
      best = next;
      moved = true;
    }
    if (moved) break;
  }
  return best;
}
