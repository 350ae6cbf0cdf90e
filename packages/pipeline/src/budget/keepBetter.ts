import type { Attempt } from './attempt.ts';
import type { UniformRival } from './budgetReport.ts';
import type { CandidateTable, ChosenPlans } from './candidateTable.ts';
import { wayOf } from './countWays.ts';
import { fitSize, type MakeFiles } from './fitSize.ts';
import { nearUniform } from './nearUniform.ts';
import type { SizeLimit } from './sizeLimit.ts';

/** Files that keep a size, and what they were compared with. */
export interface BetterFiles {
  readonly made: Attempt;
  readonly uniform: UniformRival | null;
}

/**
 * The files that keep a size and lose least: those of the choice, or of one way for all sites where that comes near and is measured to
 * lose less. `makeRival` writes and measures files that need only be compared; null where nothing can measure them.
 *
 * Errors: those of `fitSize`. Cost: with a rival, one more result without its evaluation, and where it wins one more with it.
 */
export async function keepBetter(
  table: CandidateTable,
  limit: SizeLimit,
  makeRival: ((chosen: ChosenPlans) => Promise<Attempt>) | null,
  make: MakeFiles,
): Promise<BetterFiles> {
  const near = nearUniform(table, limit.bits);
  if (makeRival === null || near === null) return { made: await fitSize(table, limit, make), uniform: null };
  const rival = await makeRival(near);
  const made = await fitSize(table, limit, make);
  if (rival.klDivergence === null || made.klDivergence === null || limit.excess(rival) > 0) {
    return { made, uniform: null };
  }
  const isKept = rival.klDivergence < made.klDivergence;
  const uniform = {
    method: wayOf(near.free),
    ...{ klDivergence: rival.klDivergence, chosenKlDivergence: made.klDivergence, isKept },
  };
  return { made: isKept ? await make(rival.chosen, null) : made, uniform };
}
