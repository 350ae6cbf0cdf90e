import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CompressionError } from '@quern/core';
import { canCapture, findBlockCuts, findLinearSites, serializeModel } from '@quern/onnx';
import type { CompressRequest } from '../compressRequest.ts';
import { chooseDevice } from '../device/chooseDevice.ts';
import { describeDevice } from '../device/describeDevice.ts';
import type { Emit } from '../events.ts';
import { calibrationInputs } from '../forward/calibrationInputs.ts';
import { captureOriginal } from '../forward/captureOriginal.ts';
import { createHiddenStates } from '../forward/hiddenStates.ts';
import { checkInterrupted } from '../interruption.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { hashFiles } from '../open/hashFiles.ts';
import { materialCount, type RunnableMaterial } from '../open/material.ts';
import { type OpenedModel, openModel } from '../open/openModel.ts';
import { prepareMaterial } from '../open/prepareMaterial.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { checkRotation, refuseAuto, rotateOpened } from '../open/rotateOpened.ts';
import { hashWindows } from '../open/textContent.ts';
import { openEngine } from '../openEngine.ts';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import { checkOut } from '../output/checkOut.ts';
import { leaveRun } from '../output/leaveRun.ts';
import { claimRunFolder, hasRun } from '../output/runFolder.ts';
import type { Recipe } from '../recipe.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { originOf } from '../solve/originOf.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { versions } from '../versions.ts';
import {
  inputFileBytes,
  STATISTICS_FILE,
  type StatisticsManifest,
  statisticsManifestSchema,
} from './statisticsManifest.ts';
import { writeStatistics } from './writeStatistics.ts';

export interface CaptureResult {
  readonly output: string;
  readonly inputs: readonly { readonly name: string; readonly inFeatures: number; readonly tokenCount: number }[];
  /** Windows, or samples of feeds. */
  readonly windowsUsed: number;
  readonly tokens: string | null;
  /** Of the whole folder. */
  readonly bytes: number;
}

/**
 * Runs the calibration through a model as it is and writes what its linear sites read: Grams, token counts, mean absolutes, one
 * file a shared input. Captures of different texts merge by adding; `compress` and `compare` solve from them without running
 * the model.
 *
 * What is in the recipe besides calibration, seed, dtype, rotate and exclude has no effect. Errors: those of `compress` before work.
 * Cost: one forward pass and one Gram for each shared input; 8 inFeatures^2 bytes an input on disk, twice while it works.
 */
export async function captureModel(request: CompressRequest, emit: Emit, signal?: AbortSignal): Promise<CaptureResult> {
  const { out: path, force, resume } = request;
  await checkOut(request);
  const chosen = await chooseDevice(request.device, emit);
  const { device } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(chosen)}` });
  refuseAuto(request.recipe);
  const original = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(original);
  const opened = await rotateOpened(original, request.recipe, { emit, signal });
  const recipe = adoptDtype(
    opened,
    readingSites(opened, request.recipe, () => undefined),
    request.recipe,
  );
  const plans = readingSites(opened, recipe, emit);
  const material = { isCalibrated: true, original, device, emit, signal };
  const { calibration } = await prepareMaterial(opened, { ...request, recipe, evaluate: null }, material);
  if (calibration === null || calibration.kind === 'statistics') {
    throw new CompressionError('USAGE', '--statistics names what capture writes: name a text with --calibration.');
  }
  const sources = await hashFiles(opened, signal);
  checkInterrupted(signal);
  const origin = await originOf({
    opened,
    sources,
    calibration,
    request: { ...request, recipe },
    device,
    solvesOn: chosen.solvesOn,
    engine,
  });
  const parts = { ...origin, exclude: recipe.exclude as JobContent };
  const key = jobKey(parts);
  const finished = resume ? await readFinished(path, key) : null;
  if (finished) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return describe(path, finished);
  }
  const folder = await claimRunFolder({ path, parts, force, resume }).catch(error => {
    throw asWriteFailure(error, path);
  });
  const results = await openResultStore(folder.results);
  const hidden = createHiddenStates(folder.scratch);
  const model = opened.model;
  const inputs = calibrationInputs(calibration, device);
  const forward = { model, localize: async (part: typeof model) => part, inputs, hidden, device, signal };
  try {
    emit({ kind: 'stage', stage: 'capture', detail: `${plans.length} sites` });
    const cuts = findBlockCuts(model);
    const statisticsOf = await captureOriginal({ forward, cuts, results, origin, emit }, plans);
    const readers = [...new Map(plans.map(plan => [plan.site.inputName, plan])).values()];
    const manifest = await writeStatistics(
      folder.staging,
      describeOrigin({ opened, sources, calibration, recipe, device, key }),
      readers.map(plan => ({ name: plan.site.inputName, read: async () => (await statisticsOf(plan))! })),
      calibration.kind === 'text' ? calibration.text.windows : [],
    );
    checkInterrupted(signal);
    await folder.commit(STATISTICS_FILE);
    return describe(path, manifest);
  } catch (error) {
    throw await leaveRun(asWriteFailure(error, path), folder, await results.count().catch(() => 0));
  } finally {
    await hidden.close();
  }
}

export interface CapturePlan {
  readonly inputs: readonly {
    readonly name: string;
    readonly inFeatures: number;
    readonly readers: readonly string[];
  }[];
  /** Of the inputs' files. */
  readonly bytes: number;
}

/** What `captureModel` would write, before anything is run. Errors: those that it gives before work. */
export async function planCapture(request: CompressRequest, emit: Emit): Promise<CapturePlan> {
  refuseAuto(request.recipe);
  const opened = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(opened);
  checkRotation(opened, request.recipe.rotate);
  const material = { isCalibrated: true, device: null, emit: () => undefined };
  await prepareMaterial(opened, { ...request, evaluate: null }, material);
  const sites = readingSites(opened, request.recipe, emit).map(plan => plan.site);
  const inputs = [...Map.groupBy(sites, site => site.inputName)].map(([name, own]) => ({
    name,
    inFeatures: own[0]!.inFeatures,
    readers: own.map(site => site.name),
  }));
  return { inputs, bytes: inputs.reduce((sum, input) => sum + inputFileBytes(input.inFeatures), 0) };
}

/** All linear sites that are not excluded and whose inputs can be captured, the head among them. */
function readingSites(opened: OpenedModel, recipe: Recipe, emit: Emit): SitePlan[] {
  const sites = findLinearSites(opened.model);
  const beside = sites.filter(site => site.block === null).map(({ name }) => ({ sites: name, method: 'dense' }));
  const { exclude } = recipe;
  const settings = { bits: undefined, groupSize: undefined, ratio: undefined, allocation: undefined };
  const plans = selectSites(sites, { ...recipe, ...settings, method: 'dense', options: {}, exclude, rules: beside });
  const readable = plans.filter(plan => canCapture(opened.model, plan.site));
  const hidden = plans.length - readable.length;
  if (hidden > 0) emit({ kind: 'warning', message: `the inputs of ${hidden} sites cannot be captured: left out.` });
  return readable;
}

interface Captured {
  readonly opened: OpenedModel;
  readonly sources: readonly string[];
  readonly calibration: RunnableMaterial;
  readonly recipe: Recipe;
  readonly device: string;
  readonly key: string;
}

function describeOrigin(captured: Captured): Omit<StatisticsManifest, 'inputs'> {
  const { opened, sources, calibration, recipe, device, key } = captured;
  const files = opened.files.map((file, index) => ({ file: basename(file), sha256: sources[index]! }));
  const common = { count: materialCount(calibration), seed: recipe.seed };
  return {
    format: 'quern statistics 1',
    key,
    versions: { ...versions() },
    device,
    model: { graph: createHash('sha256').update(serializeModel(opened.model)).digest('hex'), files },
    calibration: { ...describeText(calibration), ...common },
  };
}

function describeText(material: RunnableMaterial): Omit<StatisticsManifest['calibration'], 'count' | 'seed'> {
  if (material.kind === 'feeds') return { id: material.feeds.id, sources: [], sha256: material.feeds.sha256 };
  const { data, windowLength, windows } = material.text;
  const { id, sha256, sources, generated } = data;
  const tokens = hashWindows(windows);
  return { id, sha256, sources: [...sources], ...(generated ? { generated } : {}), tokens, windowLength };
}

/** The manifest of a capture that stands complete in a folder and is made from exactly this. */
async function readFinished(path: string, key: string): Promise<StatisticsManifest | null> {
  const folder = resolve(path);
  if (await hasRun(folder)) return null;
  const text = await readFile(join(folder, STATISTICS_FILE), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const manifest = statisticsManifestSchema.parse(JSON.parse(text));
    const sizes = await Promise.all(
      manifest.inputs.map(async ({ file, inFeatures }) => {
        const found = await stat(join(folder, file)).catch(() => null);
        return found?.size === inputFileBytes(inFeatures);
      }),
    );
    return manifest.key === key && !sizes.includes(false) ? manifest : null;
  } catch {
    return null;
  }
}

function describe(output: string, { inputs, calibration }: StatisticsManifest): CaptureResult {
  const bytes = inputs.reduce((sum, input) => sum + inputFileBytes(input.inFeatures), 0);
  return {
    output,
    inputs: inputs.map(({ name, inFeatures, tokenCount }) => ({ name, inFeatures, tokenCount })),
    windowsUsed: calibration.count,
    tokens: calibration.tokens ?? null,
    bytes: bytes + 4 * calibration.count * (calibration.windowLength ?? 0),
  };
}
