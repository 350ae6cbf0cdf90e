import { dirname, join } from 'node:path';
import { keepBaseline, windowsThatFit } from '../forward/keepBaseline.ts';
import { checkInterrupted } from '../interruption.ts';
import type { RunnableMaterial } from '../open/material.ts';
import type { PreparedText } from '../open/prepareText.ts';
import type { CompressRun } from '../run.ts';
import { type Attempt, type AttemptContext, attempt } from './attempt.ts';
import type { BudgetFigures, BudgetReport } from './budgetReport.ts';
import { type ChosenPlans, candidateTable } from './candidateTable.ts';
import { countWays } from './countWays.ts';
import { expectedFigures } from './expectedFigures.ts';
import type { MakeFiles } from './fitSize.ts';
import type { IntendedChoice } from './intendPlans.ts';
import { keepBetter } from './keepBetter.ts';
import { measureModel } from './measureModel.ts';
import { searchIncrease } from './searchIncrease.ts';
import { sizeLimit } from './sizeLimit.ts';

export interface BudgetRequest {
  /** Its model is left as it is. */
  readonly run: CompressRun;
  readonly choice: IntendedChoice;
  readonly evaluation: RunnableMaterial | null;
  readonly heldOut: PreparedText | null;
}

/** The files that keep a budget, in the staging folder. */
export interface KeptBudget extends Pick<Attempt, 'run' | 'dtype' | 'result'> {
  readonly budget: BudgetReport;
}

/**
 * Makes the result that keeps a budget and loses least: measures what every site can be, chooses, writes, and looks at the files;
 * where they miss the budget it chooses again, three times at most.
 *
 * Errors: INVALID_OPTION for a budget that measuring shows to be out of reach; BUDGET_MISSED when the last files miss it still.
 */
export async function keepBudget({ run, choice, evaluation, heldOut }: BudgetRequest): Promise<KeptBudget> {
  const { budget, candidates } = choice;
  const { device, folder, emit, signal } = run;
  const { sites, units } = await measureModel(run, candidates, heldOut);
  const table = candidateTable(sites, units);
  // Beside the scratch folder: what a run leaves there goes when its sites are solved.
  const place = join(dirname(folder.scratch), 'held-out');
  const { model } = run.opened;
  const windows = heldOut && windowsThatFit(model, heldOut.windows, device);
  const kept = windows && (await keepBaseline(model, windows, place, { device, signal }));
  const context: AttemptContext = { run, evaluation, heldOut, kept, needsIncrease: budget.kind === 'increase' };
  let corrections = 0;
  const make: MakeFiles = async (chosen, correction) => {
    checkInterrupted(signal);
    corrections = correction ?? corrections;
    const again = correction === null ? 'the best so far: ' : correction > 0 ? `correction ${correction}: ` : '';
    emit({ kind: 'stage', stage: 'choose', detail: `${again}${describe(chosen, choice, heldOut !== null)}` });
    return attempt(context, chosen);
  };
  const makeRival = async (uniform: ChosenPlans): Promise<Attempt> => {
    checkInterrupted(signal);
    emit({ kind: 'stage', stage: 'choose', detail: `one way for all: ${describe(uniform, choice, heldOut !== null)}` });
    return attempt({ ...context, evaluation: null }, uniform);
  };
  const { made, uniform } =
    budget.kind === 'increase'
      ? { made: await searchIncrease(table, Math.log1p(budget.share), make), uniform: null }
      : await keepBetter(table, sizeLimit(choice, run.request.recipe, table, emit), kept && makeRival, make);
  const { chosen, result, klDivergence, nllIncrease } = made;
  const predicted = expectedFigures(choice, chosen, heldOut !== null);
  const measured: BudgetFigures = {
    bitsPerWeight: result.storage.bitsPerWeight!,
    bytes: choice.restBytes === null ? null : result.storage.compressedBytes,
    klDivergence,
    perplexityIncrease: nllIncrease === null ? null : Math.expm1(nllIncrease),
  };
  return {
    run: made.run,
    dtype: made.dtype,
    result,
    budget: { asked: budget, chosen: countWays(chosen.plans), predicted, measured, corrections, uniform },
  };
}

function describe({ bits, loss, plans }: ChosenPlans, { range }: IntendedChoice, isText: boolean): string {
  const methods = [...new Set(plans.map(plan => plan.solver))].join(', ');
  const lost = isText ? `, ${loss.toPrecision(3)} nats a token from the original` : '';
  return `${plans.length} sites, ${methods}: about ${((bits - range.besideBits) / range.elements).toFixed(3)} bits a weight${lost}`;
}
