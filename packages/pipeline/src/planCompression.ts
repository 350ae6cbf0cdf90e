import { quantizedStorageBits } from '@quern/core';
import { findLinearSites } from '@quern/onnx';
import type { CompressRequest } from './compressRequest.ts';
import { openFeeds } from './feeds/openFeeds.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { openModel } from './open/openModel.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { outputLayout } from './output/outputLayout.ts';
import { checkSites } from './solve/checkSites.ts';
import { selectSites } from './solve/selectSites.ts';
import { type StoredTotals, storedTotals } from './solve/storedTotals.ts';

export interface PlannedSite {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly solver: string;
  readonly nominalBits: number;
  readonly groupSize: number;
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
  if (request.feeds !== undefined) await openFeeds(request.feeds, opened.model);
  const sites = plans.map(plan => ({
    name: plan.site.name,
    outFeatures: plan.site.outFeatures,
    inFeatures: plan.site.inFeatures,
    solver: plan.solver,
    nominalBits: plan.bits,
    groupSize: plan.groupSize,
    storageBits: quantizedStorageBits({
      ...plan,
      outFeatures: plan.site.outFeatures,
      inFeatures: plan.site.inFeatures,
      scaleType: 'float16',
      hasZeroPoints: plan.options.symmetric === false,
    }),
  }));
  return { model: request.model, sites, ...storedTotals(plans, sites) };
}
