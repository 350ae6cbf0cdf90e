import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hubSettings } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import { findLinearSites } from '@quern/onnx';
import type { CompressRequest, CompressResult } from './compressRequest.ts';
import { chooseDevice } from './device/chooseDevice.ts';
import type { Emit } from './events.ts';
import { keepBaseline } from './forward/keepBaseline.ts';
import { openBaseline } from './forward/openBaseline.ts';
import { exitFolder } from './open/exitFolder.ts';
import { hashFiles } from './open/hashFiles.ts';
import { openModel } from './open/openModel.ts';
import { prepareMaterial } from './open/prepareMaterial.ts';
import type { PreparedText } from './open/prepareText.ts';
import { checkRotation } from './open/rotateOpened.ts';
import { hashWindows } from './open/textContent.ts';
import { openEngine } from './openEngine.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import { originOf } from './solve/originOf.ts';
import { openResultStore } from './solve/resultStore.ts';
import { selectSites } from './solve/selectSites.ts';

/** What a trial of both found. */
export interface RotationTrial {
  readonly rotate: boolean;
  /** KL divergence from the original on windows that neither was calibrated on, nats a token. */
  readonly plain: number;
  readonly rotated: number;
  /** What rotation adds to the files, in bits per solved weight. */
  readonly moreBits: number;
  readonly windows: number;
  readonly heldOut: number;
}

/** Windows of a trial, evenly spread over the text; every fourth is held out. */
const TRIAL_WINDOWS = 32;
const LEAST_WINDOWS = 4;

/**
 * Tries a compression with and without rotation on part of the calibration text and measures both on another part. Rotation
 * wins where its divergence is less than that of the plain model with the bits that rotation adds: KL goes with the square of the error, which
 * a bit halves, so less than 2^(-2 bits) times it. The outcome is kept in the cache.
 *
 * Errors: those of `compress`; INVALID_OPTION for feeds, captured statistics, and less than four windows.
 * Cost: two compressions on 24 windows, three forward passes over 8.
 */
export async function chooseRotation(
  request: CompressRequest,
  compress: (request: CompressRequest, emit: Emit, signal?: AbortSignal) => Promise<CompressResult>,
  { emit, signal }: { readonly emit: Emit; readonly signal?: AbortSignal | undefined },
): Promise<RotationTrial> {
  const { device, solvesOn } = await chooseDevice(request.device, emit);
  const original = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  checkRotation(original, 'auto');
  if (selectSites(findLinearSites(original.model), request.recipe).length === 0) {
    throw refuse('nothing is solved that a rotation could help. Say --rotate true or false.');
  }
  if (request.feeds !== undefined || request.statistics !== undefined) {
    const flag = request.feeds === undefined ? '--statistics' : '--feeds';
    throw refuse(`${flag} gives no text to measure on. Say --rotate true or false.`);
  }
  const material = { isCalibrated: true, original, device, emit, signal };
  const { calibration } = await prepareMaterial(original, { ...request, evaluate: null }, material);
  if (calibration?.kind !== 'text') throw refuse('there is no text to measure on.');
  const places = sample(calibration.text.windows.length);
  if (places.length < LEAST_WINDOWS) {
    throw refuse(
      `the calibration text has ${places.length} windows, and ${LEAST_WINDOWS} are needed: use a longer one.`,
    );
  }
  const windows = places.map(place => calibration.text.windows[place]!);
  const heldOut = windows.filter((_, at) => at % 4 === 3);
  const text = partOf(
    calibration.text,
    places.filter((_, at) => at % 4 !== 3),
  );
  const sources = await hashFiles(original, signal);
  const engine = await openEngine();
  const origin = await originOf({ opened: original, sources, calibration, request, device, solvesOn, engine });
  const recipe = request.recipe as unknown as JobContent;
  const store = await openResultStore(join(hubSettings().cacheFolder, 'rotations'));
  const key = jobKey({ origin, recipe, windows: hashWindows(windows) });
  const known = await store.load<RotationTrial>(key);
  if (known) return told(known, emit);
  emit({ kind: 'stage', stage: 'rotate', detail: `tries both on ${text.windows.length} windows` });
  const folder = await exitFolder('trial');
  const kept = await keepBaseline(original.model, heldOut, join(folder, 'original'), { device, signal });
  const divergence = await openBaseline(kept, original.model, { device, signal });
  try {
    const attempt = async (rotate: boolean) => {
      const out = join(folder, String(rotate));
      const own = { ...request, out, evaluate: null, force: true, resume: false, calibrationText: text };
      const name = rotate ? 'rotated' : 'as it is';
      const place = { kind: 'progress', stage: 'rotate', done: Number(rotate), total: 2, unit: 'trials' } as const;
      const trialEmit: Emit = event => {
        if (event.kind !== 'progress') return;
        emit({ ...place, detail: `${name}: ${event.stage} ${event.done} of ${event.total}` });
      };
      const result = await compress({ ...own, recipe: { ...request.recipe, rotate } }, trialEmit, signal);
      return { ...result.storage, divergence: await divergence.of((await openModel(out)).model) };
    };
    const [plain, rotated] = [await attempt(false), await attempt(true)];
    emit({ kind: 'progress', stage: 'rotate', done: 2, total: 2, unit: 'trials' });
    const elements = (8 * plain.storedBytes) / (plain.bitsPerWeight ?? 16);
    const moreBits = (8 * (rotated.compressedBytes - plain.compressedBytes)) / elements;
    const trial: RotationTrial = {
      rotate: rotated.divergence < plain.divergence * 2 ** (-2 * moreBits),
      plain: plain.divergence,
      rotated: rotated.divergence,
      moreBits,
      windows: text.windows.length,
      heldOut: heldOut.length,
    };
    await store.save(key, trial);
    return told(trial, emit);
  } finally {
    await divergence.release();
    await rm(folder, { recursive: true, force: true });
  }
}

function told(trial: RotationTrial, emit: Emit): RotationTrial {
  const { rotate, plain, rotated, moreBits, heldOut } = trial;
  const figures = `KL ${rotated.toPrecision(3)} rotated with ${moreBits.toFixed(3)} more bits a weight, ${plain.toPrecision(3)} as it is`;
  emit({
    kind: 'stage',
    stage: 'rotate',
    detail: `${rotate ? 'on' : 'off'}: ${figures} (${heldOut} held-out windows)`,
  });
  return trial;
}

function refuse(reason: string): CompressionError {
  return new CompressionError('INVALID_OPTION', `--rotate auto: ${reason}`);
}

/** Which windows are tried: at most TRIAL_WINDOWS of them, evenly spread. */
function sample(windowCount: number): number[] {
  const count = Math.min(TRIAL_WINDOWS, windowCount);
  return Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * windowCount) / count));
}

/** The windows of a text at these places. */
function partOf(text: PreparedText, places: readonly number[]): PreparedText {
  const byteCounts = Int32Array.from(places, place => text.byteCounts[place]!);
  return {
    ...text,
    windows: places.map(place => text.windows[place]!),
    byteCounts,
    wordCounts: Int32Array.from(places, place => text.wordCounts[place]!),
    byteCount: byteCounts.reduce((sum, count) => sum + count, 0),
  };
}
