import { createHash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { CompressionError, exitCodeOf, toErrorRecord } from '@quern/core';
import { describeEngine, type EngineDescription } from '@quern/linalg';
import { findBlockCuts, findLinearSites, serializeModel } from '@quern/onnx';
import { type Device, resolveDevice } from '@quern/runtime';
import type { CompressRequest, CompressResult, StorageReport } from './compressRequest.ts';
import { describeDevice } from './describeDevice.ts';
import type { Emit } from './events.ts';
import { checkInterrupted } from './interruption.ts';
import { adoptDtype } from './open/adoptDtype.ts';
import { hashFile } from './open/hashFile.ts';
import { type Material, materialContent, materialCount } from './open/material.ts';
import { type OpenedModel, openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import { refuseQuantized } from './open/refuseQuantized.ts';
import { asWriteFailure } from './output/asWriteFailure.ts';
import { outputLayout } from './output/outputLayout.ts';
import { readFinished } from './output/readFinished.ts';
import { claimRunFolder, type RunFolder, type RunRequest } from './output/runFolder.ts';
import { transformersjsDtype } from './output/transformersjsLayout.ts';
import { writeManifest } from './output/writeManifest.ts';
import { type WrittenResult, widestContainer, writeResult } from './output/writeResult.ts';
import type { CompressRun } from './run.ts';
import { checkSites } from './solve/checkSites.ts';
import { findBadWeight } from './solve/findBadWeight.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import { nothingToSolve } from './solve/nothingToSolve.ts';
import { openResultStore, type ResultStore } from './solve/resultStore.ts';
import { type SitePlan, selectSites } from './solve/selectSites.ts';
import { storedTotals } from './solve/storedTotals.ts';
import { startMeasuring } from './startMeasuring.ts';
import { versions } from './versions.ts';

/**
 * Compresses a model, writes it as a folder that clients load, and measures the file that was written.
 *
 * Everything that can be wrong with the input is checked before the output folder is touched; files appear under their
 * final names only when all of them are complete. What was finished before a crash is used by `resume`.
 * Errors: those of `openModel`, `prepareText` and `claimRunFolder`; ALREADY_QUANTIZED; WRITE_FAILED; INTERRUPTED.
 */
export async function compress(given: CompressRequest, emit: Emit, signal?: AbortSignal): Promise<CompressResult> {
  const started = performance.now();
  await checkOut(given);
  const { device, fallbackReason } = await resolveDevice(given.device);
  const engine = await describeEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${given.model} on ${describeDevice(device, fallbackReason)}` });
  const opened = await openModel(given.model, { tokenizer: given.tokenizer, dtype: given.recipe.dtype });
  refuseQuantized(opened);
  const plans = selectSites(findLinearSites(opened.model), given.recipe);
  checkSites(opened.model, plans);
  const nothing = given.recipe.method === 'none' ? null : nothingToSolve(opened.model);
  if (nothing) emit({ kind: 'warning', message: nothing });
  const recipe = adoptDtype(opened, plans, given.recipe);
  const request = { ...given, recipe };
  const dtype = transformersjsDtype(widestContainer(plans), recipe.dtype);
  const layout = await outputLayout(opened, recipe, dtype);
  const { calibration, evaluation } = await prepareMaterial(opened, request, plans, emit);
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
    const result = {
      storage: await measureStorage(opened, plans, written),
      sites: written.sites,
      embeddings: written.embeddings,
      perplexity,
      outputs,
      windowsUsed: calibration ? materialCount(calibration) : 0,
      dtype,
      durationMs: Math.round(performance.now() - started),
    };
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

/** The folder of the source is never the folder of the result. */
async function checkOut({ model, out }: CompressRequest): Promise<void> {
  if (out === '') throw new CompressionError('USAGE', '--out is empty: name a folder for the result.');
  const [source, target] = await Promise.all([model, out].map(path => realpath(path).catch(() => null)));
  if (source === null || source !== target) return;
  throw new CompressionError('OUTPUT_EXISTS', `--out ${out} is the model itself: name another folder.`, { out });
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

interface OriginParts {
  readonly opened: OpenedModel;
  readonly sources: readonly string[];
  readonly calibration: Material | null;
  readonly request: CompressRequest;
  readonly device: Device;
  readonly engine: EngineDescription;
}

/** What every job of a run is made from; anything that can change a bit of its result stands here or in the job. */
function originOf(parts: OriginParts): Readonly<Record<string, JobContent>> {
  const { opened, sources, calibration, request, device, engine } = parts;
  const { dtype, accuracyLevel, seed } = request.recipe;
  const { gemm, factorization, openBlas } = engine;
  return {
    versions: { ...versions() },
    engine: { gemm, factorization, openBlas: openBlas?.configuration ?? null },
    // Another processor may round differently.
    machine: [process.platform, process.arch, cpus()[0]?.model ?? ''],
    device,
    // The graph of a checkpoint also depends on its config.json.
    model: [createHash('sha256').update(serializeModel(opened.model)).digest('hex'), ...sources],
    dtype,
    // The compressed prefix runs with the kernels of the result.
    accuracyLevel,
    seed,
    calibration: calibration && materialContent(calibration),
  };
}

async function measureStorage(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  written: WrittenResult,
): Promise<StorageReport> {
  const original = await Promise.all(opened.files.map(async path => (await stat(path)).size));
  const compressed = [(await stat(written.graph)).size, ...written.dataFiles.map(file => file.bytes)];
  const { storedBytes, bitsPerWeight } = storedTotals(plans, written.sites);
  return {
    originalBytes: original.reduce((sum, bytes) => sum + bytes, 0),
    compressedBytes: compressed.reduce((sum, bytes) => sum + bytes, 0),
    storedBytes,
    bitsPerWeight,
  };
}

/** Bad input leaves nothing behind; anything else leaves a run that can be resumed, if something was finished. */
async function leaveRun(error: unknown, folder: RunFolder, finished: number): Promise<unknown> {
  const { code, message, context } = toErrorRecord(error);
  if (exitCodeOf(code) === 2 || finished === 0) {
    await folder.abandon().catch(() => undefined);
    return error;
  }
  const advice = `${message} ${finished} finished results are kept: run the same command with --resume.`;
  return new CompressionError(code, advice, context, { cause: error });
}
