import { CompressionError } from '@quern/core';
import { findLinearSites, type OnnxModel } from '@quern/onnx';
import { checkRatios } from '../solve/checkRatios.ts';
import { checkSites } from '../solve/checkSites.ts';
import { selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import type { CompareRequest } from './compare.ts';
import { comparisonRows, type RowPlan } from './comparisonRows.ts';

/**
 * The rows of a comparison with what each does to the model's sites. Everything that can be wrong with a row is found here, before
 * the first is made.
 *
 * Errors: USAGE without methods; INVALID_OPTION.
 */
export function checkRows(
  model: OnnxModel,
  { recipe, methods, ratios }: Pick<CompareRequest, 'recipe' | 'methods' | 'ratios'>,
): (RowPlan & { readonly plans: readonly SitePlan[] })[] {
  if (methods.length === 0) throw new CompressionError('USAGE', '--methods names no method.');
  const sites = findLinearSites(model);
  return comparisonRows(recipe, methods, ratios).map(row => {
    const plans = selectSites(sites, row.recipe);
    checkSites(model, plans);
    checkRatios(plans, row.recipe);
    return { ...row, plans };
  });
}
