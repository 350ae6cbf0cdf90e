import { findBlockCuts } from '@quern/onnx';
import { intendPlans } from './budget/intendPlans.ts';
import { type BudgetPlan, planBudget } from './budget/planBudget.ts';
import type { CompressRequest } from './compressRequest.ts';
import type { Emit } from './events.ts';
import { openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { checkRotation } from './open/rotateOpened.ts';
import { outputLayout } from './output/outputLayout.ts';
import type { Recipe } from './recipe.ts';
import { type PlannedFigure, type PlannedSite, planSizes } from './solve/planSizes.ts';
import { scaleCosts } from './solve/scaleCosts.ts';
import { isCalibrated } from './solve/sitePlan.ts';
import { type StoredTotals, storedTotals } from './solve/storedTotals.ts';
import { totalFigure } from './solve/totalFigure.ts';

export interface CompressPlan extends StoredTotals {
  readonly model: string;
  readonly storage: NonNullable<Recipe['storage']>;
  readonly sites: readonly PlannedSite[];
  /** What the sum says of the file. */
  readonly figure: PlannedFigure;
  /** Null without a budget. */
  readonly budget: BudgetPlan | null;
}

/**
 * What `compress` would do: sites, widths and the bytes of their tensors, each with what it says of the file, before any weight
 * is solved. Errors: those that `compress` gives before work.
 */
export async function planCompression(request: CompressRequest, emit: Emit): Promise<CompressPlan> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  checkRotation(opened, request.recipe.rotate);
  const { recipe, plans, choice } = await intendPlans(opened, request.recipe, emit);
  await outputLayout(opened, recipe, recipe.dtype);
  const scaled = scaleCosts(opened.model, plans, findBlockCuts(opened.model));
  const { budget, sites } = choice
    ? await planBudget(opened, { ...request, recipe }, choice, emit)
    : { budget: null, sites: planSizes(scaled, recipe) };
  // What was named is checked; a plan without a budget needs no text.
  if (!choice && (request.feeds !== undefined || request.recipe.calibration.data !== undefined)) {
    const calibrated = { ...request, evaluate: null };
    await prepareMaterial(opened, calibrated, {
      isCalibrated: isCalibrated(plans, recipe),
      device: null,
      emit: () => undefined,
    });
  }
  return {
    model: request.model,
    storage: recipe.storage!,
    sites,
    figure: totalFigure(sites),
    budget,
    ...storedTotals(plans, sites),
  };
}
