import { createHash } from 'node:crypto';
import { CompressionError } from '@quern/core';
import { serializeModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { CompressRequest } from '../compressRequest.ts';
import type { Emit } from '../events.ts';
import { openFeeds } from '../feeds/openFeeds.ts';
import { openStatistics } from '../statistics/openStatistics.ts';
import { hashFiles } from './hashFiles.ts';
import type { Material, RunnableMaterial } from './material.ts';
import type { OpenedModel } from './openModel.ts';
import { type PreparedText, prepareText } from './prepareText.ts';
import { readsText } from './readsText.ts';
import { checkOwnText, writeOwnText } from './writeOwnText.ts';

const DEFAULT_CALIBRATION = 'stories';
/** The calibration that the model writes. */
const OWN_TEXT = 'self';

export interface MaterialOptions {
  /** Whether the run reads activations. */
  readonly isCalibrated: boolean;
  /** The model that writes a text: the one that was published, also where a rotated one is compressed; the same unless given. */
  readonly original?: OpenedModel;
  /** Where a text is written; null where nothing may take long: it is then checked, and absent. */
  readonly device: Device | null;
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
}

/** What a run is calibrated on and what it is measured on. */
export interface RunMaterial {
  /** Null when no solver of this run reads activations. */
  readonly calibration: Material | null;
  /** Null when nothing is to be measured. */
  readonly evaluation: RunnableMaterial | null;
}

/**
 * Opens the text or the feeds of a run, or has the model write its text. What was named is checked even where this run does not
 * read it.
 *
 * Errors: those of `prepareText` and `openFeeds`; INVALID_FEEDS for a model that reads no text and was given no feeds.
 */
export async function prepareMaterial(
  opened: OpenedModel,
  request: CompressRequest,
  options: MaterialOptions,
): Promise<RunMaterial> {
  const { isCalibrated, emit } = options;
  const { method, calibration } = request.recipe;
  const unused = (name: string): void =>
    emit({ kind: 'warning', message: `${method} reads no activations: ${name} was checked, not used.` });
  const stored = await openStored(opened, request, options);
  if (request.feeds !== undefined) {
    if (calibration.data !== undefined) {
      throw new CompressionError(
        'INVALID_OPTION',
        `--calibration ${calibration.data} and --feeds ${request.feeds} are both given: calibrate on one of them.`,
      );
    }
    const feeds = await openFeeds(request.feeds, opened.model, calibration.windows);
    const material: RunnableMaterial = { kind: 'feeds', feeds };
    if (!isCalibrated && request.evaluate === null) unused(request.feeds);
    return {
      calibration: isCalibrated ? (stored ?? material) : null,
      evaluation: request.evaluate === null ? null : material,
    };
  }
  const readsCalibration = isCalibrated && !stored;
  if ((readsCalibration || request.evaluate !== null) && !readsText(opened.model)) {
    throw needsFeeds(opened, isCalibrated);
  }
  const evaluation = request.evaluate === null ? null : await evaluationText(opened, request, request.evaluate);
  if (stored) return { calibration: isCalibrated ? stored : null, evaluation };
  if (!isCalibrated && calibration.data === undefined) return { calibration: null, evaluation };
  const text = await calibrationText(opened, request, options);
  if (!isCalibrated && calibration.data !== undefined) unused(calibration.data);
  return { calibration: isCalibrated && text ? { kind: 'text', text } : null, evaluation };
}

/** Statistics that were captured before, where the request names some. Errors: those of `openStatistics`; INVALID_OPTION. */
async function openStored(
  opened: OpenedModel,
  { statistics: folders, recipe: { method, calibration } }: CompressRequest,
  { isCalibrated, emit, signal }: MaterialOptions,
): Promise<Extract<Material, { kind: 'statistics' }> | null> {
  if (folders === undefined) return null;
  if (calibration.data !== undefined) {
    throw new CompressionError(
      'INVALID_OPTION',
      `--calibration ${calibration.data} and --statistics ${folders.join(',')} are both given: statistics were calibrated when they were captured.`,
    );
  }
  const graph = createHash('sha256').update(serializeModel(opened.model)).digest('hex');
  const sources = await hashFiles(opened, signal);
  const statistics = await openStatistics(folders, { graph, sources });
  if (!isCalibrated) {
    emit({ kind: 'warning', message: `${method} reads no activations: the statistics were checked, not used.` });
  }
  return { kind: 'statistics', statistics };
}

/** Null for a text that is still to be written, where that may not be done or nothing would read it. */
async function calibrationText(
  opened: OpenedModel,
  { recipe: { calibration, seed }, calibrationText: prepared }: CompressRequest,
  { isCalibrated, original, device, emit, signal }: MaterialOptions,
): Promise<PreparedText | null> {
  if (prepared) return prepared;
  const { data = DEFAULT_CALIBRATION, windows, windowLength, temperature } = calibration;
  if (data !== OWN_TEXT) {
    if (temperature !== undefined) {
      throw new CompressionError(
        'INVALID_OPTION',
        `calibration.temperature (${temperature}): ${data} is read, not written; it holds for data: ${OWN_TEXT} only.`,
        { temperature, data },
      );
    }
    return prepareText(opened, { data, part: 'calibration', windowLength, maximumWindows: windows, seed });
  }
  await checkOwnText(opened, { windowLength });
  if (!isCalibrated || device === null) return null;
  return writeOwnText(
    original ?? opened,
    { windows, windowLength, temperature: temperature ?? 1, seed },
    { device, emit, signal },
  );
}

async function evaluationText(opened: OpenedModel, request: CompressRequest, data: string): Promise<RunnableMaterial> {
  const { windowLength, perDocument } = request;
  return { kind: 'text', text: await prepareText(opened, { data, part: 'evaluation', windowLength, perDocument }) };
}

function needsFeeds(opened: OpenedModel, isCalibrated: boolean): CompressionError {
  const inputs = (opened.model.proto.graph?.input ?? []).map(({ name }) => name).join(', ');
  const without = isCalibrated ? '--method rtn with --evaluate none' : '--evaluate none';
  return new CompressionError(
    'INVALID_FEEDS',
    `${opened.path} reads no text (its inputs are ${inputs}): pass --feeds <folder of .npy or .json files> to calibrate and measure it on real inputs, or ${without} to do without.`,
    { path: opened.path },
  );
}
