import { CompressionError } from '@quern/core';
import type { CompressRequest } from '../compressRequest.ts';
import type { Emit } from '../events.ts';
import { openFeeds } from '../feeds/openFeeds.ts';
import type { Material } from './material.ts';
import type { OpenedModel } from './openModel.ts';
import { prepareText } from './prepareText.ts';
import { readsText } from './readsText.ts';

const DEFAULT_CALIBRATION = 'stories';

/** What a run is calibrated on and what it is measured on. */
export interface RunMaterial {
  /** Null when no solver of this run reads activations. */
  readonly calibration: Material | null;
  /** Null when nothing is to be measured. */
  readonly evaluation: Material | null;
}

/**
 * Opens the text or the feeds of a run; `isCalibrated` says whether it reads activations.
 * What was named is checked even where this run does not read it.
 *
 * Errors: those of `prepareText` and `openFeeds`; INVALID_FEEDS for a model that reads no text and was given no feeds.
 */
export async function prepareMaterial(
  opened: OpenedModel,
  request: CompressRequest,
  isCalibrated: boolean,
  emit: Emit,
): Promise<RunMaterial> {
  const { method, calibration } = request.recipe;
  const unused = (name: string): void =>
    emit({ kind: 'warning', message: `${method} reads no activations: ${name} was checked, not used.` });
  if (request.feeds !== undefined) {
    if (calibration.data !== undefined) {
      throw new CompressionError(
        'INVALID_OPTION',
        `--calibration ${calibration.data} and --feeds ${request.feeds} are both given: calibrate on one of them.`,
      );
    }
    const feeds = await openFeeds(request.feeds, opened.model, calibration.windows);
    const material: Material = { kind: 'feeds', feeds };
    if (!isCalibrated && request.evaluate === null) unused(request.feeds);
    return { calibration: isCalibrated ? material : null, evaluation: request.evaluate === null ? null : material };
  }
  if ((isCalibrated || request.evaluate !== null) && !readsText(opened.model)) throw needsFeeds(opened, isCalibrated);
  const evaluated = request.evaluate === null ? null : await evaluationText(opened, request, request.evaluate);
  if (!isCalibrated && calibration.data === undefined) return { calibration: null, evaluation: evaluated };
  const text = await prepareText(opened, {
    data: calibration.data ?? DEFAULT_CALIBRATION,
    part: 'calibration',
    windowLength: calibration.windowLength,
    maximumWindows: calibration.windows,
  });
  if (!isCalibrated && calibration.data !== undefined) unused(calibration.data);
  return { calibration: isCalibrated ? { kind: 'text', text } : null, evaluation: evaluated };
}

async function evaluationText(opened: OpenedModel, request: CompressRequest, data: string): Promise<Material> {
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
