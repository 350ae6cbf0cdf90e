import { type CompressedWeight, reconstruct } from '@quern/core';
import { cloneModel, createInlineStore, parseModel, replaceSite } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { MeasuredLoss } from '@quern/solvers';
import type { KeptBaseline } from '../forward/keepBaseline.ts';
import { openBaseline } from '../forward/openBaseline.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { solveMembers } from '../solve/solveSite.ts';
import type { SiteTask } from './siteTask.ts';
import { squaredError } from './squaredError.ts';

/** A site that alone is to be replaced. */
export interface LossTask extends SiteTask {
  readonly options: SitePlan['options'];
  /** What the solver makes of it, where that is known; else it is solved alone. */
  readonly solved: CompressedWeight | null;
  readonly kept: KeptBaseline;
  readonly device: Device;
  readonly threads?: number;
}

/**
 * What the model loses when one site alone runs with its solved weight, in float16: one forward pass over the kept windows.
 *
 * Memory: a session of the whole model, of a large one those of a block and of slices of its head.
 */
export async function measureLoss(task: LossTask): Promise<MeasuredLoss> {
  const { site, weight, statistics, solver, options, kept, device, threads, accuracyLevel, activationType } = task;
  const compressed = task.solved ?? (await solveMembers(solver, [{ weight, statistics, options }]))[0]!;
  const solved = await reconstruct(compressed);
  const error = await squaredError(task, solved);
  if (error === 0) return { error, loss: 0 };
  const original = parseModel(task.model);
  const model = cloneModel(original);
  const { outFeatures, inFeatures } = site;
  const dense = { kind: 'dense', outFeatures, inFeatures, data: solved.data.map(Math.f16round) } as const;
  await replaceSite(model, { site, compressed: dense, accuracyLevel, activationType }, createInlineStore(model.folder));
  const divergence = await openBaseline(kept, original, { device, ...(threads === undefined ? {} : { threads }) });
  try {
    return { error, loss: Math.max(0, await divergence.of(model, site.block)) };
  } finally {
    await divergence.release();
  }
}
