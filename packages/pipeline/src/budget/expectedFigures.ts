import type { BudgetFigures } from './budgetReport.ts';
import type { ChosenPlans } from './candidateTable.ts';
import type { IntendedChoice } from './intendPlans.ts';

/** What is expected of a choice; `isText` says whether its loss is a divergence. */
export function expectedFigures(
  { budget, range, restBytes }: IntendedChoice,
  { bits, loss }: ChosenPlans,
  isText: boolean,
): BudgetFigures {
  return {
    bitsPerWeight: (bits - range.besideBits) / range.elements,
    bytes: restBytes === null ? null : Math.round(restBytes + bits / 8),
    klDivergence: isText ? loss : null,
    perplexityIncrease: budget.kind === 'increase' ? Math.expm1(loss) : null,
  };
}
