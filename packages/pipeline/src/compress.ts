import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CompressionError, exitCodeOf, toErrorRecord } from '@quern/core';
import { chooseEngine, type EngineDescription } from '@quern/linalg';
import { findBlockCuts, findLinearSites, isQuantized, serializeModel } from '@quern/onnx';
import { type Device, resolveDevice } from '@quern/runtime';
import type { CompressRequest, CompressResult, StorageReport } from './compressRequest.ts';
import { describeDevice } from './describeDevice.ts';
import type { Emit } from './events.ts';
import { checkInterrupted } from './interruption.ts';
import { hashFile } from './open/hashFile.ts';
import { type OpenedModel, openModel } from './open/openModel.ts';
import { type PreparedText, prepareText } from './open/prepareText.ts';
import { textContent } from './open/textContent.ts';
import { readFinished } from './output/readFinished.ts';
import { claimRunFolder, type RunFolder } from './output/runFolder.ts';
import { writeManifest } from './output/writeManifest.ts';
import { type WrittenResult, writeResult } from './output/writeResult.ts';
import type { CompressRun } from './run.ts';
import { scoreBefore, scoreWritten } from './scoreRun.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import { openResultStore } from './solve/resultStore.ts';
import { type SitePlan, selectSites } from './solve/selectSites.ts';
import { readsActivations } from './solve/solveBlocks.ts';
import { versions } from './versions.ts';

/**
 * Compresses a model, writes it as a folder that clients load, and measures the file that was written.
 *
 * Everything that can be wrong with the input is checked before the output folder is touched; files appear under their
 * final names only when all of them are complete. What was finished before a crash is used by `resume`.
 * Errors: those of `openModel`, `prepareText` and `claimRunFolder`; ALREADY_QUANTIZED; WRITE_FAILED; INTERRUPTED.
 */
export async function compress(request: CompressRequest, emit: Emit, signal?: AbortSignal): Promise<CompressResult> {
  const started = performance.now();
  const { recipe } = request;
  const { device, fallbackReason } = await resolveDevice(request.device);
  // Sums do not depend on the threads of this thread's engine; each worker thread has an engine of its own.
  const engine = await chooseEngine({ threads: availableParallelism() });
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(device, fallbackReason)}` });
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: recipe.dtype });
  refuseQuantized(opened);
  const plans = selectSites(findLinearSites(opened.model), recipe);
  const calibration = await calibrationText(opened, request, plans, emit);
  const text = await evaluationText(opened, request);
  const sources = await Promise.all(opened.files.map(file => hashFile(file, signal)));
  checkInterrupted(signal);
  const origin = originOf({ opened, sources, calibration, request, device, engine });
  const { out: path, force, resume } = request;
  const evaluation = text && textContent(text);
  const parts = { ...(recipe as unknown as Record<string, JobContent>), ...origin, evaluation };
  const key = jobKey(parts);
  const finished = resume ? await readFinished(path, key) : null;
  if (finished) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return finished;
  }
  const folder = await claimRunFolder({ path, parts, force, resume });
  const results = await openResultStore(folder.results);
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
    folder,
    results,
    emit,
    signal,
  };
  try {
    const before = text ? await scoreBefore(run, text) : null;
    const written = await writeResult(run);
    const perplexity = text && before ? await scoreWritten(run, text, before, written.graph) : null;
    const result = {
      storage: await measureStorage(opened, plans, written),
      sites: written.sites,
      embeddings: written.embeddings,
      perplexity,
      windowsUsed: calibration?.windows.length ?? 0,
      dtype: written.dtype,
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
    throw await leaveRun(error, folder, await results.count().catch(() => 0));
  }
}

function refuseQuantized(opened: OpenedModel): void {
  const operator = isQuantized(opened.model);
  if (!operator) return;
  throw new CompressionError(
    'ALREADY_QUANTIZED',
    `${opened.path} is quantised already (it holds ${operator}): compress the model it was made from.`,
    { model: opened.path, operator },
  );
}

const DEFAULT_CALIBRATION = 'stories';

/** The calibration windows; null when no solver of this run reads activations. A text that was named is checked all the same. */
async function calibrationText(
  opened: OpenedModel,
  request: CompressRequest,
  plans: readonly SitePlan[],
  emit: Emit,
): Promise<PreparedText | null> {
  const { data, windows, windowLength } = request.recipe.calibration;
  const isNeeded = plans.some(readsActivations);
  if (!isNeeded && data === undefined) return null;
  const part = 'calibration' as const;
  const text = await prepareText(opened, {
    data: data ?? DEFAULT_CALIBRATION,
    part,
    windowLength,
    maximumWindows: windows,
  });
  if (isNeeded) return text;
  emit({ kind: 'warning', message: `${request.recipe.method} reads no activations: ${data} was checked, not used.` });
  return null;
}

async function evaluationText(opened: OpenedModel, request: CompressRequest): Promise<PreparedText | null> {
  if (request.evaluate === null) return null;
  const { windowLength, perDocument } = request;
  return prepareText(opened, { data: request.evaluate, part: 'evaluation', windowLength, perDocument });
}

interface OriginParts {
  readonly opened: OpenedModel;
  readonly sources: readonly string[];
  readonly calibration: PreparedText | null;
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
    device,
    // The graph of a checkpoint also depends on its config.json.
    model: [createHash('sha256').update(serializeModel(opened.model)).digest('hex'), ...sources],
    dtype,
    // The compressed prefix runs with the kernels of the result.
    accuracyLevel,
    seed,
    calibration: calibration && textContent(calibration),
  };
}

async function measureStorage(
  opened: OpenedModel,
  plans: readonly SitePlan[],
  written: WrittenResult,
): Promise<StorageReport> {
  const original = await Promise.all(opened.files.map(async path => (await stat(path)).size));
  const compressed = [(await stat(written.graph)).size, ...written.dataFiles.map(file => file.bytes)];
  const storedBytes = written.sites.reduce((sum, site) => sum + site.storageBits / 8, 0);
  const elements = plans.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  return {
    originalBytes: original.reduce((sum, bytes) => sum + bytes, 0),
    compressedBytes: compressed.reduce((sum, bytes) => sum + bytes, 0),
    storedBytes,
    bitsPerWeight: elements === 0 ? null : (8 * storedBytes) / elements,
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
