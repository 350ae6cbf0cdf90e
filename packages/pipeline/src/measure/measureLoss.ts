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

/** A site that is to be replaced. */
export interface SolvedTask extends SiteTask {
  readonly options: SitePlan['options'];
  /** What the solver makes of it, where that is known; else it is solved alone. */
  readonly solved: CompressedWeight | null;
}

/** Sites of one block that alone are to be replaced, mostly one. */
export interface LossTask {
  readonly members: readonly SolvedTask[];
  readonly kept: KeptBaseline;
  readonly device: Device;
  readonly threads?: number;
}

/**
 * What the model loses when some sites alone run with their solved weights, in float16: one forward pass over the kept windows.
 *
 * Memory: a session of the whole model, of a large one those of a block and of slices of its head.
 */
export async function measureLoss({ members, kept, device, threads }: LossTask): Promise<MeasuredLoss> {
  const [first] = members as readonly [SolvedTask];
  const original = parseModel(first.model);
  const model = cloneModel(original);
  const store = createInlineStore(model.folder);
  let error = 0;
  for (const task of members) {
    const { site, weight, statistics, solver, options, accuracyLevel, activationType } = task;
    const compressed =
      task.solved ?? (await solveMembers(solver, [{ weight, statistics, inputName: site.inputName, options }]))[0]!;
    const solved = await reconstruct(compressed);
    error += (await squaredError(task, solved)) / members.length;
    const { outFeatures, inFeatures } = site;
    const dense = { kind: 'dense', outFeatures, inFeatures, data: solved.data.map(Math.f16round) } as const;
    await replaceSite(model, { site, compressed: dense, accuracyLevel, activationType }, store);
  }
  if (error === 0) return { error, loss: 0 };
  const divergence = await openBaseline(kept, original, { device, ...(threads === undefined ? {} : { threads }) });
  try {
    return { error, loss: Math.max(0, await divergence.of(model, first.site.block)) };
  } finally {
    await divergence.release();
  }
}
