import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { chooseEngine } from '@quern/linalg';
import { canCapture } from '@quern/onnx';
import { calibrationInputs } from '../forward/calibrationInputs.ts';
import { captureOriginal } from '../forward/captureOriginal.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import { measurementFolder, measurementStore } from '../measure/measurementStore.ts';
import type { PreparedText } from '../open/prepareText.ts';
import type { CompressRun } from '../run.ts';
import { createExecutor } from '../solve/createExecutor.ts';
import { readStored } from '../statistics/readStored.ts';
import type { SiteCandidates } from './listCandidates.ts';
import { type MeasuredModel, measureSites, recallSites } from './measureSites.ts';

/**
 * What a budget must know of a model: from earlier runs where they have measured it, else measured on the original. The run's model is
 * left as it is.
 */
export async function measureModel(
  run: CompressRun,
  candidates: readonly SiteCandidates[],
  heldOut: PreparedText | null,
): Promise<MeasuredModel> {
  const { opened, request, origin, cuts, device, folder, emit, signal } = run;
  const results = await measurementStore(run.results, emit);
  const { recipe } = request;
  const known = await recallSites({ recipe, results, origin, heldOut }, candidates);
  const ways = candidates.reduce((sum, { plans }) => sum + plans.length, 0);
  const detail = `${candidates.length} sites, ${ways} ways to treat them`;
  if (known) {
    emit({ kind: 'stage', stage: 'measure', detail: `${detail}: known from ${measurementFolder()}` });
    return known;
  }
  emit({ kind: 'stage', stage: 'measure', detail });
  await mkdir(folder.scratch, { recursive: true });
  const executor = createExecutor(request.threads, { device: run.solvesOn });
  const hidden = createHiddenStates(join(folder.scratch, 'original'));
  await chooseEngine({ threads: availableParallelism(), accelerator: executor.accelerator });
  try {
    const isRun = run.calibration !== null && run.calibration.kind !== 'statistics';
    const inputs = isRun ? calibrationInputs(run.calibration, device) : null;
    const forward = inputs && { model: opened.model, inputs, localize: localizeNothing, hidden, device, signal };
    const capturing = candidates.map(({ plans }) => plans[0]!).filter(({ site }) => canCapture(opened.model, site));
    // Statistics are large and belong to the run alone.
    const capture = { forward: forward!, cuts, results: run.results, origin, emit };
    const statisticsOf = forward ? await captureOriginal(capture, capturing) : readStored(run.calibration);
    const measuring = { model: opened.model, recipe, executor, results, origin, statisticsOf, heldOut };
    return await measureSites({ ...measuring, device, scratch: folder.scratch, emit, signal }, candidates);
  } finally {
    await executor.close();
    await hidden.close();
  }
}

const localizeNothing = async <Model>(submodel: Model): Promise<Model> => submodel;
