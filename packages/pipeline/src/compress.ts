import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toErrorRecord } from '@quern/core';
import { findBlockCuts, findLinearSites } from '@quern/onnx';
import { chooseRotation } from './chooseRotation.ts';
import type { CompressRequest, CompressResult, StorageReport } from './compressRequest.ts';
import { chooseDevice } from './device/chooseDevice.ts';
import { describeDevice } from './device/describeDevice.ts';
import type { Emit } from './events.ts';
import { checkInterrupted } from './interruption.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { hashFile } from './open/hashFile.ts';
import { materialContent, materialCount } from './open/material.ts';
import { type OpenedModel, openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { rotateOpened } from './open/rotateOpened.ts';
import { openEngine } from './openEngine.ts';
import { adoptStorage } from './output/adoptStorage.ts';
import { asWriteFailure } from './output/asWriteFailure.ts';
import { bitsForSize } from './output/bitsForSize.ts';
import { checkOut } from './output/checkOut.ts';
import { leaveRun } from './output/leaveRun.ts';
import { outputLayout } from './output/outputLayout.ts';
import { packResult } from './output/packed/packResult.ts';
import { readFinished } from './output/readFinished.ts';
import { claimRunFolder, type RunFolder, type RunRequest } from './output/runFolder.ts';
import { transformersjsDtype } from './output/transformersjsLayout.ts';
import { warnOfSize } from './output/warnOfSize.ts';
import { writeManifest } from './output/writeManifest.ts';
import { type WrittenResult, widestContainer, writeResult } from './output/writeResult.ts';
import type { CompressRun } from './run.ts';
import { checkRatios } from './solve/checkRatios.ts';
import { checkSites } from './solve/checkSites.ts';
import { findBadWeight } from './solve/findBadWeight.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import { nothingToSolve } from './solve/nothingToSolve.ts';
import { originOf } from './solve/originOf.ts';
import { openResultStore, type ResultStore } from './solve/resultStore.ts';
import { selectSites } from './solve/selectSites.ts';
import { isCalibrated, type SitePlan } from './solve/sitePlan.ts';
import { storedTotals } from './solve/storedTotals.ts';
import { startMeasuring } from './startMeasuring.ts';

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
  const { device, fallbackReason } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${given.model} on ${describeDevice(chosen)}` });
  const original = await openModel(given.model, { tokenizer: given.tokenizer, dtype: given.recipe.dtype });
  refuseQuantized(original);
  const opened = await rotateOpened(original, given.recipe, { emit, signal });
  const selected = selectSites(findLinearSites(opened.model), given.recipe);
  checkSites(opened.model, selected);
  checkRatios(selected, given.recipe);
  const nothing = given.recipe.method === 'none' ? null : nothingToSolve(opened.model);
  if (nothing) emit({ kind: 'warning', message: nothing });
  // Statistics of the original model are all there is: no block can be calibrated behind compressed ones.
  const settings = given.statistics === undefined ? given.recipe : { ...given.recipe, sequential: false };
  const recipe = adoptStorage(selected, adoptDtype(opened, selected, settings), emit);
  const request = { ...given, recipe };
  const plans = await bitsForSize(opened, selected, recipe, emit);
  const dtype = transformersjsDtype(widestContainer(plans), recipe.dtype);
  const layout = await outputLayout(opened, recipe, dtype);
  const material = { isCalibrated: isCalibrated(plans, recipe), original, device, emit, signal };
  const { calibration, evaluation } = await prepareMaterial(opened, request, material);
  const sources = await Promise.all(opened.files.map(file => hashFile(file, signal)));
  checkInterrupted(signal);
  const origin = originOf({ opened, sources, calibration, request, device, engine });
  const { out: path, force, resume } = request;
  const measured = evaluation && materialContent(evaluation);
  const parts = { ...(recipe as unknown as Record<string, JobContent>), ...origin, evaluation: measured };
  const key = jobKey(parts);
  const finished = resume ? await readFinished(path, key) : null;
  if (finished) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return finished;
  }
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
    engine,
    layout,
    folder,
    results,
    emit,
    signal,
  };
  try {
    const measure = await startMeasuring(run, evaluation);
    const written = await writeResult(run);
    const { perplexity, outputs } = await measure(written.graph);
    const stored = await packResult(run, written);
    const result = {
      storage: await measureStorage(opened, plans, stored),
      sites: stored.sites,
      embeddings: stored.embeddings,
      perplexity,
      outputs,
      windowsUsed: calibration ? materialCount(calibration) : 0,
      dtype,
      durationMs: Math.round(performance.now() - started),
    };
    warnOfSize(recipe, result.storage, emit);
    checkInterrupted(signal);
    await writeManifest({ folder: folder.staging, run, result, sources, key });
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

async function measureStorage(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  written: WrittenResult,
): Promise<StorageReport> {
  const original = await Promise.all(opened.files.map(async path => (await stat(path)).size));
  const graphBytes = (await stat(written.graph)).size;
  const { storedBytes, bitsPerWeight } = storedTotals(plans, written.sites);
  const storage = {
    originalBytes: original.reduce((sum, bytes) => sum + bytes, 0),
    compressedBytes: written.dataFiles.reduce((sum, file) => sum + file.bytes, graphBytes),
    storedBytes,
    bitsPerWeight,
  };
  if (written.containerBytes === null) return storage;
  const unpacked = written.sites.map(({ name, packed, storageBits }) => ({
    name,
    storageBits: packed?.containerBits ?? storageBits,
  }));
  const totals = storedTotals(plans, unpacked);
  return {
    ...storage,
    container: {
      compressedBytes: graphBytes + written.containerBytes,
      storedBytes: totals.storedBytes,
      bitsPerWeight: totals.bitsPerWeight,
    },
  };
}
