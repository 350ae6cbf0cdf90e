import { findLinearSites } from '@quern/onnx';
import { withoutBudget } from '../budget/withoutBudget.ts';
import type { Emit } from '../events.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { openModel } from '../open/openModel.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { checkRotation, refuseAuto } from '../open/rotateOpened.ts';
import { type PlannedFigure, planSizes } from '../solve/planSizes.ts';
import { type StoredTotals, storedTotals } from '../solve/storedTotals.ts';
import { totalFigure } from '../solve/totalFigure.ts';
import { checkRows } from './checkRows.ts';
import type { CompareRequest } from './compare.ts';
import { everySite } from './everySite.ts';

export interface ComparisonPlan {
  readonly rows: readonly (StoredTotals & {
    readonly method: string;
    readonly ratio: number | null;
    readonly figure: PlannedFigure;
  })[];
}

/** The rows that a comparison would make and what each would store, before any weight is read. Errors: those of `compare`. */
export async function planComparison(given: CompareRequest, emit: Emit): Promise<ComparisonPlan> {
  const request = { ...given, recipe: withoutBudget(given.recipe) };
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  refuseAuto(request.recipe);
  checkRotation(opened, request.recipe.rotate);
  const sites = findLinearSites(opened.model);
  const recipe = adoptDtype(opened, everySite(sites, request.recipe), request.recipe);
  const rows = checkRows(opened.model, { ...request, recipe }, emit);
  return {
    rows: rows.map(({ method, ratio, plans, recipe: own }) => {
      const sites = planSizes(plans, own);
      return { method, ratio, figure: totalFigure(sites), ...storedTotals(plans, sites) };
    }),
  };
}
