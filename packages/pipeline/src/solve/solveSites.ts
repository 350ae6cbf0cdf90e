import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chooseEngine } from '@quern/linalg';
import { canCapture, cloneModel, openWhileWriting, type WeightStore } from '@quern/onnx';
import { isEntropyCoded } from '@quern/solvers';
import type { SiteReport } from '../compressRequest.ts';
import type { ForwardContext } from '../forward/blockForward.ts';
import { calibrationInputs } from '../forward/calibrationInputs.ts';
import { captureOriginal } from '../forward/captureOriginal.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import type { RunnableMaterial } from '../open/material.ts';
import type { CompressRun } from '../run.ts';
import { readStored } from '../statistics/readStored.ts';
import { allocatePlans } from './allocatePlans.ts';
import { createExecutor, type Executor } from './createExecutor.ts';
import { scaleCosts } from './scaleCosts.ts';
import { allocationOf, type SitePlan, solverOf } from './sitePlan.ts';
import { solveBlocks } from './solveBlocks.ts';
import type { OriginalRun } from './solveOnOriginal.ts';
import { solveOnOriginal } from './solveOnOriginal.ts';
import { spreadBits } from './spreadBits.ts';

/**
 * Solves every site of a run and puts the results into graph and store.
 *
 * What must know several blocks at once comes first, on the original model: the spread of a ratio over the sites, and group
 * solvers; with `sequential: false` everything. The rest follows block by block behind the compressed prefix.
 */
export async function solveSites(run: CompressRun, store: WeightStore): Promise<SiteReport[]> {
  const { request, plans, calibration } = run;
  if (plans.length === 0) return [];
  const executor = createExecutor(request.threads, { device: run.solvesOn });
  const isRun = calibration !== null && calibration.kind !== 'statistics';
  const forward = isRun ? forwardContext(run, store, calibration) : null;
  // Grams are summed here, on all cores; workers use one thread each. Sums do not depend on it.
  if (forward) await chooseEngine({ threads: availableParallelism(), accelerator: executor.accelerator });
  try {
    return await solveAll(run, store, executor, forward);
  } finally {
    await executor.close();
    await forward?.hidden.close();
  }
}

async function solveAll(
  run: CompressRun,
  store: WeightStore,
  executor: Executor,
  forward: ForwardContext | null,
): Promise<SiteReport[]> {
  const { request, cuts, results, origin, emit, signal } = run;
  const { recipe } = request;
  const { model } = run.opened;
  const given = scaleCosts(model, run.plans, cuts);
  const onOriginal = given.filter(plan => !recipe.sequential || solverOf(plan).needs === 'group');
  const allocated = given.filter(plan => allocationOf(plan, recipe) !== 'uniform');
  const common = { model, recipe, executor, results, origin, emit, signal };
  let plans: readonly SitePlan[] = given;
  let solvedBefore: ReadonlyMap<string, string> = new Map();
  if (onOriginal.length + allocated.length > 0) {
    const capturing = [...new Set([...onOriginal, ...allocated])].filter(plan => canCapture(model, plan.site));
    const statisticsOf = forward
      ? await captureOriginal({ forward, cuts, results, origin, emit }, capturing)
      : readStored(run.calibration);
    const original: OriginalRun = { ...common, statisticsOf };
    plans = await allocatePlans(original, given, recipe);
    if (run.calibration) {
      const measuring = { ...original, recipe, device: run.device, scratch: run.folder.scratch };
      plans = await spreadBits(measuring, plans, recipe, run.calibration);
    }
    const names = new Set(onOriginal.map(plan => plan.site.name));
    solvedBefore = await solveOnOriginal(
      original,
      plans.filter(plan => names.has(plan.site.name)),
    );
  }
  const corrects = plans.some(plan => isEntropyCoded(solverOf(plan)) && !solvedBefore.has(plan.site.name));
  const original = corrects && cuts && forward ? originalContext(run, forward) : null;
  try {
    return await solveBlocks({ ...common, plans, cuts, forward, original, solvedBefore, store });
  } finally {
    await original?.hidden.close();
  }
}

/** The model as it was, with hidden states of its own. */
function originalContext(run: CompressRun, forward: ForwardContext): ForwardContext {
  return {
    ...forward,
    model: cloneModel(run.opened.model),
    localize: async submodel => submodel,
    hidden: createHiddenStates(join(run.folder.scratch, 'original')),
  };
}

function forwardContext(run: CompressRun, store: WeightStore, material: RunnableMaterial): ForwardContext {
  const { opened, device, signal, folder } = run;
  return {
    model: opened.model,
    inputs: calibrationInputs(material, device),
    localize: submodel => openWhileWriting(submodel, store),
    hidden: createHiddenStates(folder.scratch),
    device,
    signal,
  };
}
