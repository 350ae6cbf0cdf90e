import { type CompressedWeight, reconstruct, toErrorRecord } from '@quern/core';
import { parseModel } from '@quern/onnx';
import { isEntropyCoded, isSparse, lossAt } from '@quern/solvers';
import type { SiteTask } from '../measure/siteTask.ts';
import { squaredError } from '../measure/squaredError.ts';
import type { Recipe } from '../recipe.ts';
import { curveOptions, type SitePlan, solverOf } from '../solve/sitePlan.ts';
import { rateCurveOf, solveMembers } from '../solve/solveSite.ts';
import { storedBitsIn } from './storedBitsIn.ts';

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
  const member = { weight, statistics, inputName: site.inputName };
  // Containers take what a ratio leaves, masks what it is announced to; what packing saves of it is known from the tensors alone.
  if (entry.rateCurve && (isEntropyCoded(entry) || isSparse(entry) || storage === 'container')) {
    const curve = await rateCurveOf({ solver, members: [{ ...member, options: curveOptions(task.options[0]!) }] });
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
      const [compressed] = await solveMembers(solver, [{ ...member, options }]);
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

function withoutInputScale(compressed: CompressedWeight): CompressedWeight {
  if (compressed.kind !== 'quantized') return compressed;
  const { inputScale: _, ...stored } = compressed;
  return stored;
}
