import { quantizedStorageBits } from '@quern/core';
import { findLinearSites } from '@quern/onnx';
import type { CompressRequest } from './compressRequest.ts';
import { openFeeds } from './feeds/openFeeds.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { openModel } from './open/openModel.ts';
import { checkSites } from './solve/checkSites.ts';
import { selectSites } from './solve/selectSites.ts';

export interface PlannedSite {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly solver: string;
  readonly nominalBits: number;
  readonly groupSize: number;
  readonly storageBits: number;
}

export interface CompressPlan {
  readonly model: string;
  readonly sites: readonly PlannedSite[];
  readonly storedBytes: number;
  readonly elementCount: number;
  readonly bitsPerWeight: number | null;
}

/** What `compress` would do: sites, widths and the exact bytes of their tensors, before any weight is read. */
export async function planCompression(request: CompressRequest): Promise<CompressPlan> {
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  const plans = selectSites(findLinearSites(opened.model), request.recipe);
  checkSites(opened.model, plans);
  adoptDtype(opened, plans, request.recipe);
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
  const storedBytes = sites.reduce((sum, site) => sum + site.storageBits / 8, 0);
  const elementCount = sites.reduce((sum, site) => sum + site.outFeatures * site.inFeatures, 0);
  return {
    model: request.model,
    sites,
    storedBytes,
    elementCount,
    bitsPerWeight: elementCount === 0 ? null : (8 * storedBytes) / elementCount,
  };
}
