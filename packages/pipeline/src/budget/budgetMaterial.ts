import { CompressionError } from '@quern/core';
import type { CompressRequest } from '../compressRequest.ts';
import type { OpenedModel } from '../open/openModel.ts';
import { type MaterialOptions, prepareMaterial, type RunMaterial } from '../open/prepareMaterial.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { sampleText } from '../open/sampleText.ts';

/** Windows of a calibration text that a budget takes beside those that calibrate. */
const HELD_OUT_WINDOWS = 8;

export interface BudgetMaterial extends RunMaterial {
  /**
   * What a model is measured on: windows of the calibration text that calibrate nothing, with captured statistics some of those that did.
   * Null for a model that reads no text.
   */
  readonly heldOut: PreparedText | null;
}

/**
 * The material of a run with a budget, which needs text that it is not calibrated on.
 *
 * Errors: those of `prepareMaterial`; TEXT_TOO_SHORT for a text of one window; INVALID_OPTION for a perplexity without text.
 */
export async function budgetMaterial(
  opened: OpenedModel,
  request: CompressRequest,
  options: MaterialOptions,
): Promise<BudgetMaterial> {
  const { recipe, feeds } = request;
  if (feeds !== undefined && recipe.maxPerplexityIncrease !== undefined) {
    throw new CompressionError(
      'INVALID_OPTION',
      `maxPerplexityIncrease (${recipe.maxPerplexityIncrease}): a model that reads --feeds has no perplexity: use --bits-per-weight or --target-size.`,
    );
  }
  const windows = recipe.calibration.windows + (feeds === undefined ? HELD_OUT_WINDOWS : 0);
  const longer = { ...request, recipe: { ...recipe, calibration: { ...recipe.calibration, windows } } };
  const { calibration, evaluation } = await prepareMaterial(opened, longer, { ...options, isCalibrated: true });
  if (calibration?.kind !== 'text') {
    return { calibration, evaluation, heldOut: calibration && sampleText(calibration) };
  }
  const { rest, heldOut } = holdOut(calibration.text);
  return { calibration: { kind: 'text', text: rest }, evaluation, heldOut };
}

/** Takes the last windows away, eight or a fifth of all, so that what is measured on them is no echo of what was fitted. */
function holdOut(text: PreparedText): { readonly rest: PreparedText; readonly heldOut: PreparedText } {
  const { windows } = text;
  if (windows.length < 2) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      'The calibration text has one window, and a budget measures on windows that do not calibrate: use a longer text, or a smaller --window-length.',
      { windows: windows.length, limit: 2 },
    );
  }
  const count = Math.min(HELD_OUT_WINDOWS, Math.max(1, Math.floor(windows.length / 5)));
  const rest = windows.length - count;
  return { rest: part(text, 0, rest), heldOut: part(text, rest, windows.length) };
}

/** The windows [start, end) of a text. */
function part(text: PreparedText, start: number, end: number): PreparedText {
  const byteCounts = text.byteCounts.slice(start, end);
  return {
    ...text,
    windows: text.windows.slice(start, end),
    byteCounts,
    wordCounts: text.wordCounts.slice(start, end),
    byteCount: byteCounts.reduce((sum, count) => sum + count, 0),
  };
}
