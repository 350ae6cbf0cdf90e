import { findLinearSites } from '@quern/onnx';
import type { CompressRequest } from './compressRequest.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { outputLayout } from './output/outputLayout.ts';
import { checkSites } from './solve/checkSites.ts';
import { groupPlans } from './solve/groupPlans.ts';
import { selectSites } from './solve/selectSites.ts';
import { groupSizeOf, isCalibrated, nominalBitsOf, plannedStorageBits } from './solve/sitePlan.ts';
import { type StoredTotals, storedTotals } from './solve/storedTotals.ts';

export interface PlannedSite {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly solver: string;
  readonly nominalBits: number;
  readonly groupSize: number | null;
  readonly storageBits: number;
}

export interface CompressPlan extends StoredTotals {
  readonly model: string;
  readonly sites: readonly PlannedSite[];
}

/** What `compress` would do: sites, widths and the exact bytes of their tensors, before any weight is read. */
export async function planCompression(request: CompressRequest): Promise<CompressPlan> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  const plans = selectSites(findLinearSites(opened.model), request.recipe);
  checkSites(opened.model, plans);
  await outputLayout(opened, adoptDtype(opened, plans, request.recipe), request.recipe.dtype);
  // What was named is checked; a plan needs no text.
  if (request.feeds !== undefined || request.recipe.calibration.data !== undefined) {
    const calibrated = { ...request, evaluate: null };
    await prepareMaterial(opened, calibrated, isCalibrated(plans, request.recipe), () => undefined);
  }
  const groupSizes = new Map(groupPlans(plans).flatMap(group => group.map(plan => [plan.site.name, group.length])));
  const sites = plans.map(plan => ({
    name: plan.site.name,
    outFeatures: plan.site.outFeatures,
    inFeatures: plan.site.inFeatures,
    solver: plan.solver,
    nominalBits: nominalBitsOf(plan),
    groupSize: groupSizeOf(plan),
    storageBits: plannedStorageBits(plan, groupSizes.get(plan.site.name)!),
  }));
  return { model: request.model, sites, ...storedTotals(plans, sites) };
}
