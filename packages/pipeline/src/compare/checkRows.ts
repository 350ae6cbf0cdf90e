import { CompressionError } from '@quern/core';
import { findBlockCuts, findLinearSites, type OnnxModel } from '@quern/onnx';
import type { Emit } from '../events.ts';
import { adoptStorage } from '../output/adoptStorage.ts';
import { checkRatios } from '../solve/checkRatios.ts';
import { checkSites } from '../solve/checkSites.ts';
import { scaleCosts } from '../solve/scaleCosts.ts';
import { selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import type { CompareRequest } from './compare.ts';
import { comparisonRows, type RowPlan } from './comparisonRows.ts';

/**
 * The rows of a comparison with what each does to the model's sites. Everything that can be wrong with a row is found here, before
 * the first is made, and each gets the storage that its plans call for.
 *
 * Errors: USAGE without methods; INVALID_OPTION.
 */
export function checkRows(
  model: OnnxModel,
  { recipe, methods, ratios }: Pick<CompareRequest, 'recipe' | 'methods' | 'ratios'>,
  emit: Emit,
): (RowPlan & { readonly plans: readonly SitePlan[] })[] {
  if (methods.length === 0) throw new CompressionError('USAGE', '--methods names no method.');
  const sites = findLinearSites(model);
  const cuts = findBlockCuts(model);
  const told = new Set<string>();
  const emitOnce: Emit = event => {
    const text = JSON.stringify(event);
    if (!told.has(text)) emit(event);
    told.add(text);
  };
  return comparisonRows(recipe, methods, ratios).map(row => {
    const plans = scaleCosts(model, selectSites(sites, row.recipe), cuts);
    checkSites(model, plans);
    checkRatios(plans, row.recipe);
    return { ...row, plans, recipe: adoptStorage(plans, row.recipe, emitOnce) };
  });
}
