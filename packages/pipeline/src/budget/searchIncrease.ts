import { CompressionError } from '@quern/core';
import type { Attempt } from './attempt.ts';
import type { CandidateTable, ChosenPlans } from './candidateTable.ts';
import { type MakeFiles, MOST_CORRECTIONS } from './fitSize.ts';

/** Files that lose this share of what they may are near enough. */
const NEAR = 0.9;
/** What the next choice aims at, between that and all. */
const AIM = 0.95;

/** A choice with what its files lost. */
interface Tried {
  readonly chosen: ChosenPlans;
  /** Nats per token. */
  readonly lost: number;
}

/** What is tried first for a limit in nats per token. */
export function firstChoice(table: CandidateTable, limit: number): ChosenPlans {
  return chooseUnder(table, AIM * limit);
}

/** The fewest bits that are expected to lose so little, or what loses least. */
function chooseUnder(table: CandidateTable, loss: number): ChosenPlans {
  return table.under(loss) ?? table.within(table.mostBits)!;
}

/**
 * The fewest bits whose files lose at most `limit` nats per token more than the original. What is expected and what is measured differ by a
 * factor that changes slowly with the size, so each choice aims by the files before it, between the largest that kept the limit and
 * the smallest that did not; 1 + 3 are written at most.
 *
 * Errors: BUDGET_MISSED where none keeps it, with the least that was lost.
 */
export async function searchIncrease(table: CandidateTable, limit: number, make: MakeFiles): Promise<Attempt> {
  const atLoss = (loss: number): ChosenPlans => chooseUnder(table, loss);
  let kept: Tried | null = null;
  let missed: Tried | null = null;
  let last: Attempt | null = null;
  let next = firstChoice(table, limit);
  for (let corrections = 0; corrections <= MOST_CORRECTIONS; corrections++) {
    last = await make(next, corrections);
    const tried = { chosen: next, lost: last.nllIncrease! };
    if (tried.lost > limit) missed = missed === null || tried.chosen.bits > missed.chosen.bits ? tried : missed;
    else kept = kept === null || tried.chosen.bits < kept.chosen.bits ? tried : kept;
    if (kept === tried && (tried.lost >= NEAR * limit || next.bits <= table.leastBits)) return last;
    if (missed === tried && next.bits >= table.mostBits) break;
    next = atLoss(aimAt(kept, missed, AIM * limit));
    const isKnown = [kept, missed].some(one => one?.chosen.bits === next.bits);
    if (isKnown) break;
  }
  if (kept === null) {
    const least = 100 * Math.expm1(missed!.lost);
    const message = `maxPerplexityIncrease: the perplexity rose by ${least.toPrecision(3)} % in the best files that were written, ${(100 * Math.expm1(limit)).toPrecision(3)} % are allowed: ask for more, for other --methods, or for more --windows.`;
    throw new CompressionError('BUDGET_MISSED', message, { increase: least / 100, limit: Math.expm1(limit) });
  }
  return last!.chosen === kept.chosen ? last! : make(kept.chosen, null);
}

/**
 * The expected loss whose files should lose `aim`: by proportion from one file; between two by the power law through them, or half
 * way where that is nearer to what was kept, since losses are measured with noise.
 */
function aimAt(kept: Tried | null, missed: Tried | null, aim: number): number {
  if (kept && missed) {
    const [low, high] = [kept.chosen.loss, missed.chosen.loss];
    const share = kept.lost > 0 ? Math.log(aim / kept.lost) / Math.log(missed.lost / kept.lost) : 0.5;
    return low * (high / low) ** Math.min(0.5, Math.max(0.1, share));
  }
  const { chosen, lost } = (kept ?? missed)!;
  // What lost nothing, or got better by chance, says little: four times as much is a step, not a leap.
  return chosen.loss * (lost > 0 ? Math.min(4, aim / lost) : 4);
}
