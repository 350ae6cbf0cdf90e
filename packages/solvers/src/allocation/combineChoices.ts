import type { Choice } from './tabulateChoices.ts';

/** A choice for several sites at once. */
export interface CombinedChoice extends Choice {
  /** The index of each site's choice, in the order of the sites. */
  readonly parts: readonly number[];
}

/** Choices that are kept after each site. */
const MOST_CHOICES = 256;

/**
 * All that several sites can choose together, without what another combination beats in bits and loss: for sites whose choices depend
 * on each other, so that they count as one. Of more than 256 combinations those are kept that lie nearest to even steps of bits.
 *
 * Cost: 256 x all choices, sorted.
 */
export function combineChoices(sites: readonly (readonly Choice[])[]): CombinedChoice[] {
  let combined: CombinedChoice[] = [{ bits: 0, loss: 0, parts: [] }];
  for (const choices of sites) {
    const sums = combined.flatMap(({ bits, loss, parts }) =>
      choices.map((choice, index) => ({
        bits: bits + choice.bits,
        loss: loss + choice.loss,
        parts: [...parts, index],
      })),
    );
    combined = thin(unbeaten(sums));
  }
  return combined;
}

function unbeaten(choices: readonly CombinedChoice[]): CombinedChoice[] {
  const ordered = choices.toSorted((left, right) => left.bits - right.bits || left.loss - right.loss);
  const kept: CombinedChoice[] = [];
  for (const choice of ordered) if (kept.length === 0 || choice.loss < kept.at(-1)!.loss) kept.push(choice);
  return kept;
}

/** Least and most stay; between them the last of each step. */
function thin(choices: readonly CombinedChoice[]): CombinedChoice[] {
  if (choices.length <= MOST_CHOICES) return [...choices];
  const [first, last] = [choices[0]!, choices.at(-1)!];
  const step = (last.bits - first.bits) / (MOST_CHOICES - 2);
  const stepOf = ({ bits }: Choice): number => Math.floor((bits - first.bits) / step);
  return choices.filter(
    (choice, at) => at === 0 || at === choices.length - 1 || stepOf(choice) < stepOf(choices[at + 1]!),
  );
}
