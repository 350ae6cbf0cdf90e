import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toErrorRecord } from '@quern/core';
import { findBlockCuts } from '@quern/onnx';
import { budgetMaterial } from './budget/budgetMaterial.ts';
import { intendPlans } from './budget/intendPlans.ts';
import { keepBudget } from './budget/keepBudget.ts';
import { chooseRotation } from './chooseRotation.ts';
import type { CompressRequest, CompressResult } from './compressRequest.ts';
import { chooseDevice } from './device/chooseDevice.ts';
import { describePlaces } from './device/describePlaces.ts';
import type { Emit } from './events.ts';
import { checkInterrupted } from './interruption.ts';
import { makeResult } from './makeResult.ts';
import { hashFiles } from './open/hashFiles.ts';
import { materialContent, materialCount } from './open/material.ts';
import { openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { rotateOpened } from './open/rotateOpened.ts';
import { openEngine } from './openEngine.ts';
import { asWriteFailure } from './output/asWriteFailure.ts';
import { checkOut } from './output/checkOut.ts';
import { checkSpace } from './output/checkSpace.ts';
import { leaveRun } from './output/leaveRun.ts';
import { outputLayout } from './output/outputLayout.ts';
import { readFinished } from './output/readFinished.ts';
import { claimRunFolder, type RunFolder, type RunRequest } from './output/runFolder.ts';
import { transformersjsDtype } from './output/transformersjsLayout.ts';
import { writeManifest } from './output/writeManifest.ts';
import { widestContainer } from './output/writeResult.ts';
import type { CompressRun } from './run.ts';
import { findBadWeight } from './solve/findBadWeight.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import { nothingToSolve } from './solve/nothingToSolve.ts';
import { originOf } from './solve/originOf.ts';
import { openResultStore, type ResultStore } from './solve/resultStore.ts';
import { isCalibrated } from './solve/sitePlan.ts';

/**
 * Compresses a model, writes it as a folder that clients load, and measures the file that was written.
 *
 * Everything that can be wrong with the input is checked before the output folder is touched; files appear under their
 * final names only when all of them are complete. What was finished before a crash is used by `resume`.
 * Errors: those of `openModel`, `prepareText` and `claimRunFolder`; ALREADY_QUANTIZED; WRITE_FAILED; INTERRUPTED.
 */
export async function compress(given: CompressRequest, emit: Emit, signal?: AbortSignal): Promise<CompressResult> {
  await checkOut(given);
  if (given.recipe.rotate !== 'auto') return compressOnce(given, emit, signal);
  const rotationTrial = await chooseRotation(given, compressOnce, { emit, signal });
  const recipe = { ...given.recipe, rotate: rotationTrial.rotate };
  return compressOnce({ ...given, recipe, rotationTrial }, emit, signal);
}

/** `compress` with a recipe that leaves nothing to try. */
async function compressOnce(given: CompressRequest, emit: Emit, signal?: AbortSignal): Promise<CompressResult> {
  const started = performance.now();
  const chosen = await chooseDevice(given.device, emit);
  const { device, fallbackReason, solvesOn } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${given.model} on ${describePlaces(chosen)}` });
  const original = await openModel(given.model, { tokenizer: given.tokenizer, dtype: given.recipe.dtype });
  refuseQuantized(original);
  const opened = await rotateOpened(original, given.recipe, { emit, signal });
  const nothing = given.recipe.method === 'none' ? null : nothingToSolve(opened.model);
  if (nothing) emit({ kind: 'warning', message: nothing });
  // Statistics of the original model are all there is: no block can be calibrated behind compressed ones.
  const settings = given.statistics === undefined ? given.recipe : { ...given.recipe, sequential: false };
  const { recipe, plans, choice } = await intendPlans(opened, settings, emit);
  const request = { ...given, recipe };
  // What a layout refuses is refused before work; a choice may still change the name of the graph.
  const dtype = transformersjsDtype(widestContainer(plans), recipe.dtype);
  const layout = await outputLayout(opened, recipe, dtype);
  const material = { isCalibrated: isCalibrated(plans, recipe), original, device, emit, signal };
  const { calibration, evaluation, heldOut } = choice
    ? await budgetMaterial(opened, request, material)
    : { ...(await prepareMaterial(opened, request, material)), heldOut: null };
  const sources = await hashFiles(opened, signal);
  checkInterrupted(signal);
  const origin = await originOf({ opened, sources, calibration, request, device, solvesOn, engine });
  const { out: path, force, resume } = request;
  const measured = evaluation && materialContent(evaluation);
  const parts = { ...(recipe as unknown as Record<string, JobContent>), ...origin, evaluation: measured };
  const key = jobKey(parts);
  const finished = resume ? await readFinished(path, key) : null;
  if (finished) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return finished;
  }
  // A run that goes on has its results already.
  if (!resume) await checkSpace(path, plans, recipe);
  const { folder, results } = await openRun({ path, parts, force, resume });
  const kept = await results.count();
  if (kept > 0) emit({ kind: 'stage', stage: 'open', detail: `resumes with ${kept} finished results` });
  const cuts = findBlockCuts(opened.model);
  const run: CompressRun = {
    request,
    opened,
    plans,
    cuts,
    calibration,
    origin,
    device,
    fallbackReason,
    solvesOn,
    engine,
    layout,
    folder,
    results,
    emit,
    signal,
  };
  try {
    const made = choice
      ? await keepBudget({ run, choice, evaluation, heldOut })
      : { run, dtype, result: await makeResult(run, evaluation), budget: null };
    const result = {
      ...made.result,
      budget: made.budget,
      windowsUsed: calibration ? materialCount(calibration) : 0,
      dtype: made.dtype,
      durationMs: Math.round(performance.now() - started),
    };
    checkInterrupted(signal);
    await writeManifest({ folder: folder.staging, run: made.run, result, sources, key });
    const paths = await folder.commit('quern.json');
    const files = await Promise.all(
      paths.map(async path => ({ path, bytes: (await stat(join(folder.folder, path))).size })),
    );
    return { output: request.out, files, ...result };
  } catch (error) {
    const reason = await explainFailure(error, request);
    throw await leaveRun(asWriteFailure(reason, path), folder, await results.count().catch(() => 0));
  }
}

/** Activations that are not finite often come from a weight that is not: that is bad input, and named as such. */
async function explainFailure(error: unknown, { model, tokenizer }: CompressRequest): Promise<unknown> {
  if (toErrorRecord(error).code !== 'NON_FINITE_ACTIVATION') return error;
  return (await findBadWeight(await openModel(model, { tokenizer }))) ?? error;
}

async function openRun(request: RunRequest): Promise<{ folder: RunFolder; results: ResultStore }> {
  try {
    const folder = await claimRunFolder(request);
    return { folder, results: await openResultStore(folder.results) };
  } catch (error) {
    throw asWriteFailure(error, request.path);
  }
}
