import { findBlockCuts, findLinearSites } from '@quern/onnx';
import type { CompressRequest } from './compressRequest.ts';
import type { Emit } from './events.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { checkRotation } from './open/rotateOpened.ts';
import { adoptStorage } from './output/adoptStorage.ts';
import { bitsForSize } from './output/bitsForSize.ts';
import { outputLayout } from './output/outputLayout.ts';
import type { Recipe } from './recipe.ts';
import { checkRatios } from './solve/checkRatios.ts';
import { checkSites } from './solve/checkSites.ts';
import { type PlannedFigure, type PlannedSite, planSizes } from './solve/planSizes.ts';
import { scaleCosts } from './solve/scaleCosts.ts';
import { selectSites } from './solve/selectSites.ts';
import { isCalibrated } from './solve/sitePlan.ts';
import { type StoredTotals, storedTotals } from './solve/storedTotals.ts';
import { totalFigure } from './solve/totalFigure.ts';

export interface CompressPlan extends StoredTotals {
  readonly model: string;
  readonly storage: NonNullable<Recipe['storage']>;
  readonly sites: readonly PlannedSite[];
  /** What the sum says of the file. */
  readonly figure: PlannedFigure;
}

/**
 * What `compress` would do: sites, widths and the bytes of their tensors, each with what it says of the file, before any weight
 * is solved. Errors: those that `compress` gives before work.
 */
export async function planCompression(request: CompressRequest, emit: Emit): Promise<CompressPlan> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  checkRotation(opened, request.recipe.rotate);
  const selected = selectSites(findLinearSites(opened.model), request.recipe);
  checkSites(opened.model, selected);
  checkRatios(selected, request.recipe);
  const recipe = adoptStorage(selected, adoptDtype(opened, selected, request.recipe), emit);
  await outputLayout(opened, recipe, recipe.dtype);
  const given = await bitsForSize(opened, selected, recipe, emit);
  const plans = scaleCosts(opened.model, given, findBlockCuts(opened.model));
  // What was named is checked; a plan needs no text.
  if (request.feeds !== undefined || request.recipe.calibration.data !== undefined) {
    const calibrated = { ...request, evaluate: null };
    await prepareMaterial(opened, calibrated, {
      isCalibrated: isCalibrated(plans, request.recipe),
      original: opened,
      device: null,
      emit: () => undefined,
    });
  }
  const sites = planSizes(plans, recipe);
  return {
    model: request.model,
    storage: recipe.storage!,
    sites,
    figure: totalFigure(sites),
    ...storedTotals(plans, sites),
  };
}
