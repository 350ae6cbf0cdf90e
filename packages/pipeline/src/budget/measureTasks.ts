import { type CompressedWeight, type InputStatistics, type LinearSite, reconstruct, toErrorRecord } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { cloneModel, createInlineStore, type KernelOptions, parseModel, replaceSite } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import {
  isEntropyCoded,
  isSparse,
  lossAt,
  type MeasuredLoss,
  relativeOutputError,
  relativeWeightError,
} from '@quern/solvers';
import type { KeptBaseline } from '../forward/keepBaseline.ts';
import { openBaseline } from '../forward/openBaseline.ts';
import type { Recipe } from '../recipe.ts';
import { type SitePlan, solverOf } from '../solve/sitePlan.ts';
import { solveMembers } from '../solve/solveSite.ts';
import { storedBitsIn } from './storedBitsIn.ts';

/** A site of a model as a thread is told of it. */
export interface SiteTask extends KernelOptions {
  /** The graph of the original model, serialized, and the folder of its data. */
  readonly model: { readonly bytes: Uint8Array; readonly folder: string };
  readonly site: LinearSite;
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly statistics: InputStatistics | null;
  readonly solver: string;
}

/** Ways in which one solver can treat a site. */
export interface CandidatesTask extends SiteTask {
  readonly options: readonly SitePlan['options'][];
  readonly storage: NonNullable<Recipe['storage']>;
}

/** What a way of treating a site stores and spoils. */
export interface MeasuredWay {
  /** All its bits in the file. */
  readonly bits: number;
  /** Squared relative output error; of the weight where nothing is known of the input. */
  readonly error: number;
}

/** A site that alone is to be replaced. */
export interface LossTask extends SiteTask {
  readonly options: SitePlan['options'];
  readonly kept: KeptBaseline;
  readonly device: Device;
  readonly threads?: number;
}

/**
 * Solves a site in every way and measures each; null for a way at which the solver fails. Solvers that know their loss at any rate are
 * asked for it, from a sample of the outputs, instead.
 *
 * Cost: that of the solver for each way, and outFeatures inFeatures^2 multiply-adds; one result in memory.
 */
export async function measureWays(task: CandidatesTask): Promise<(MeasuredWay | null)[]> {
  const { site, weight, statistics, solver, storage, accuracyLevel, activationType } = task;
  const entry = solverOf({ solver });
  const shape = { outFeatures: site.outFeatures, inFeatures: site.inFeatures };
  // Containers take what a ratio leaves, masks what it is announced to; what packing saves of it is known from the tensors alone.
  if (entry.rateCurve && (isEntropyCoded(entry) || isSparse(entry) || storage === 'container')) {
    const { bits: _bits, ratio: _ratio, ...settings } = task.options[0]!;
    const curve = await entry.rateCurve(weight, statistics, settings);
    return task.options.map(options => {
      const bits = entry.storageBits(shape, options);
      // Beyond its last point a curve gains nothing: codes have no room for more.
      return { bits, error: lossAt(curve, Math.min(bits / weight.data.length, curve.at(-1)?.bits ?? 0)) };
    });
  }
  const place = { model: parseModel(task.model), site, storage, accuracyLevel, activationType };
  const ways: (MeasuredWay | null)[] = [];
  for (const options of task.options) {
    try {
      const [compressed] = await solveMembers(solver, [{ weight, statistics, options }]);
      const error = await squaredError(task, await reconstruct(compressed!));
      // An input scale that folds into what gives the input takes nothing in the file.
      const stored = options.inputScaleBits === 0 ? withoutInputScale(compressed!) : compressed!;
      ways.push({ bits: await storedBitsIn(place, stored), error });
    } catch (error) {
      const { code } = toErrorRecord(error);
      if (code !== 'SOLVER_FAILED' && code !== 'NOT_POSITIVE_DEFINITE') throw error;
      ways.push(null);
    }
  }
  return ways;
}

/**
 * What the model loses when one site alone runs with its solved weight, in float16: one forward pass over the kept windows.
 *
 * Memory: a session of the whole model, of a large one those of a block and of slices of its head.
 */
export async function measureLoss(task: LossTask): Promise<MeasuredLoss> {
  const { site, weight, statistics, solver, options, kept, device, threads, accuracyLevel, activationType } = task;
  const [compressed] = await solveMembers(solver, [{ weight, statistics, options }]);
  const solved = await reconstruct(compressed!);
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

function withoutInputScale(compressed: CompressedWeight): CompressedWeight {
  if (compressed.kind !== 'quantized') return compressed;
  const { inputScale: _, ...stored } = compressed;
  return stored;
}

async function squaredError(
  { weight, statistics }: Pick<SiteTask, 'weight' | 'statistics'>,
  solved: Matrix<Float32Array>,
): Promise<number> {
  if (statistics === null) return relativeWeightError(weight, solved) ** 2;
  return (await relativeOutputError(weight, solved, statistics.inputGram)) ** 2;
}
