import { findLinearSites } from '@quern/onnx';
import { adoptDtype } from '../open/adoptDtype.ts';
import { openModel } from '../open/openModel.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { planSizes } from '../solve/planSizes.ts';
import { type StoredTotals, storedTotals } from '../solve/storedTotals.ts';
import { checkRows } from './checkRows.ts';
import type { CompareRequest } from './compare.ts';
import { everySite } from './everySite.ts';

export interface ComparisonPlan {
  readonly rows: readonly (StoredTotals & { readonly method: string; readonly ratio: number | null })[];
}

/** The rows that a comparison would make and what each would store, before any weight is read. Errors: those of `compare`. */
export async function planComparison(request: CompareRequest): Promise<ComparisonPlan> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  const sites = findLinearSites(opened.model);
  const recipe = adoptDtype(opened, everySite(sites, request.recipe), request.recipe);
  const rows = checkRows(opened.model, { ...request, recipe });
  return {
    rows: rows.map(({ method, ratio, plans }) => ({ method, ratio, ...storedTotals(plans, planSizes(plans)) })),
  };
}
