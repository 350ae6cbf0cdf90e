import { CompressionError } from '@quern/core';
import type { Attempt } from './attempt.ts';
import type { CandidateTable, ChosenPlans } from './candidateTable.ts';
import type { SizeLimit } from './sizeLimit.ts';

/** Writes and measures the files of a choice; `correction` counts the choices before it, null for one that is made once more. */
export type MakeFiles = (chosen: ChosenPlans, correction: number | null) => Promise<Attempt>;

/** Choices that are made again, at most. */
export const MOST_CORRECTIONS = 3;
/** Taken off beyond what the last files had too much: choices come in steps. */
const MARGIN = 1.05;

/**
 * The best choice whose files keep a size, or the error that says why there is none: INVALID_OPTION below the least that the methods reach,
 * BUDGET_MISSED after three corrections. What files exceed it by is taken off what the next choice may be expected to take.
 */
export async function fitSize(
  table: CandidateTable,
  limit: SizeLimit,
  make: MakeFiles,
): Promise<Attempt | CompressionError> {
  let bits = limit.bits;
  for (let corrections = 0; ; corrections++) {
    const chosen = table.within(bits);
    if (chosen === null) return limit.refuse();
    const made = await make(chosen, corrections);
    const excess = limit.excess(made);
    if (excess <= 0) return made;
    if (corrections === MOST_CORRECTIONS) {
      const message = `The files take ${Math.ceil(excess / 8)} bytes more than the budget after ${MOST_CORRECTIONS} corrections: ask for less, so that more is kept back.`;
      return new CompressionError('BUDGET_MISSED', message, { excessBytes: Math.ceil(excess / 8) });
    }
    bits = Math.min(bits, chosen.bits) - MARGIN * excess;
  }
}
