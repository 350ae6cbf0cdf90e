import type { InputStatistics, LinearSite } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { activationTypeOf, type KernelOptions, type OnnxModel, readWeight, serializeModel } from '@quern/onnx';
import { scaleTypeFor } from '../solve/compressEmbeddings.ts';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';

/** The graph of the original model, serialized, and the folder of its data: as a thread is told of it. */
export interface ModelCopy {
  readonly bytes: Uint8Array;
  readonly folder: string;
}

/** A site of a model as a thread is told of it. */
export interface SiteTask extends KernelOptions {
  readonly model: ModelCopy;
  readonly site: LinearSite;
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly statistics: InputStatistics | null;
  readonly solver: string;
}

/** What tasks are made from. */
export interface SiteSource {
  /** The original. */
  readonly model: OnnxModel;
  readonly recipe: { readonly accuracyLevel: KernelOptions['accuracyLevel'] };
  /** Statistics of the original's inputs; called only where something is missing. */
  readonly statisticsOf: (plan: SitePlan) => Promise<InputStatistics | null>;
}

export function copyOf(model: OnnxModel): ModelCopy {
  return { bytes: serializeModel(model), folder: model.folder };
}

/** The task of a plan's site; its weight is read for it. */
export async function siteTask(source: SiteSource, model: ModelCopy, plan: SitePlan): Promise<SiteTask> {
  const { site, solver } = plan;
  const activationType = activationTypeOf(source.model, site);
  const { accuracyLevel } = source.recipe;
  const weight = await readWeight(source.model, site);
  return { model, site, solver, weight, statistics: await source.statisticsOf(plan), accuracyLevel, activationType };
}

/** The options of a plan as a run of it would have them. */
export function optionsInRun(model: OnnxModel, plan: SitePlan): SitePlan['options'] {
  if (!Object.hasOwn(solverOf(plan).optionsSchema.shape, 'scaleType')) return plan.options;
  const scaleType = scaleTypeFor(activationTypeOf(model, plan.site));
  return scaleType === 'auto' ? plan.options : { ...plan.options, scaleType };
}
