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
 * lose less, or the choice does not keep the size. `makeRival` writes and measures files that need only be compared; null where nothing can measure them.
 *
 * Errors: those of `fitSize`, where the rival does not keep the size either. Cost: with a rival, one more result without its evaluation, and where it wins one more with it.
 */
export async function keepBetter(
  table: CandidateTable,
  limit: SizeLimit,
  makeRival: ((chosen: ChosenPlans) => Promise<Attempt>) | null,
  make: MakeFiles,
): Promise<BetterFiles> {
  const near = nearUniform(table, limit.bits);
  const rival = makeRival && near && (await makeRival(near));
  const made = await fitSize(table, limit, make);
  const fits = rival !== null && rival.klDivergence !== null && limit.excess(rival) <= 0;
  if (!fits) {
    if (made instanceof Error) throw made;
    return { made, uniform: null };
  }
  const chosenKlDivergence = made instanceof Error ? null : made.klDivergence;
  const isKept = made instanceof Error || rival.klDivergence! < made.klDivergence!;
  const uniform = {
    method: wayOf(near!.free),
    ...{ klDivergence: rival.klDivergence!, chosenKlDivergence, isKept },
  };
  return { made: isKept ? await make(rival.chosen, null) : made, uniform };
}
