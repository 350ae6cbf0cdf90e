import { activationTypeOf, type OnnxModel, replaceSite, type WeightStore } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import type { Recipe } from '../recipe.ts';
import { convergenceReport } from './convergenceReport.ts';
import type { FinishedJob } from './runJobs.ts';
import { groupSizeOf, nominalBitsOf, type SitePlan } from './sitePlan.ts';

export interface ResultPlace {
  readonly model: OnnxModel;
  readonly store: WeightStore;
  readonly recipe: Pick<Recipe, 'accuracyLevel'>;
}

/** Puts a solved weight into the graph and the data file, and says what it became. */
export async function placeResult(
  { model, store, recipe }: ResultPlace,
  plan: SitePlan,
  { result, durationMs, onFailure }: FinishedJob,
): Promise<SiteReport> {
  const { compressed } = result;
  const activationType = activationTypeOf(model, plan.site);
  const { accuracyLevel } = recipe;
  const convergence = convergenceReport(compressed);
  const shared = compressed.kind === 'lowRank' ? (compressed.sharedLeft ?? compressed.sharedRight) : null;
  const before = store.added().length;
  await replaceSite(model, { site: plan.site, compressed, accuracyLevel, activationType }, store);
  return {
    name: plan.site.name,
    solver: plan.solver,
    // What a fallback chose is not what was planned.
    nominalBits: compressed.kind === 'quantized' ? compressed.bits : nominalBitsOf(plan),
    groupSize: compressed.kind === 'quantized' ? compressed.groupSize : groupSizeOf(plan),
    storageBits: result.storageBits,
    tensors: store
      .added()
      .slice(before)
      .map(({ name }) => name),
    ...(shared ? { sharedFactor: shared.name } : {}),
    relativeOutputError: result.relativeOutputError,
    relativeWeightError: result.relativeWeightError,
    durationMs,
    ...(convergence === null ? {} : { convergence }),
    ...(onFailure === undefined ? {} : { onFailure }),
  };
}
