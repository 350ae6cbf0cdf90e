import type { TokenWindow } from '@quern/core';
import {
  addLosses,
  batchLimit,
  batchWindows,
  checkVocabularies,
  checkWindows,
  emptyScores,
  tokensBefore,
  type WindowScores,
} from '@quern/evaluator';
import { findLogits } from '@quern/runtime';
import type { BlockModel } from './asBlocks.ts';
import { type BlockOptions, lossesByBlocks } from './lossesByBlocks.ts';
import { headOf } from './openHeadPart.ts';
import { tokenRun } from './tokenRun.ts';

export interface BlockScoreOptions extends BlockOptions {
  /** Also compare with this model, as `scoreWindows` does. */
  readonly baseline?: BlockModel | undefined;
}

/**
 * Scores windows like `scoreWindows` without ever opening a whole model (see `lossesByBlocks`).
 *
 * The same figures up to rounding: a head in slices adds in another order. Errors: those of `scoreWindows`.
 */
export async function scoreByBlocks(
  own: BlockModel,
  windows: readonly TokenWindow[],
  { baseline, ...options }: BlockScoreOptions,
): Promise<WindowScores> {
  const { vocabularySize } = findLogits(own.model);
  checkWindows(windows, vocabularySize);
  if (baseline) checkVocabularies(own.model, baseline.model);
  const scores = emptyScores(windows, baseline !== undefined);
  const isSliced = headOf(own.model) !== null && (!baseline || headOf(baseline.model) !== null);
  const limit = batchLimit({
    device: options.device,
    memoryBytes: null,
    vocabularySize: isSliced ? null : vocabularySize,
    windowLength: windows.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
    compares: baseline !== undefined,
  });
  const batches = batchWindows(windows, limit);
  const losses = await lossesByBlocks(
    own,
    baseline ?? null,
    batches.map(batch => tokenRun(batch.map(index => windows[index]!.ids))),
    options,
  );
  const before = tokensBefore(scores);
  for (const [run, batch] of batches.entries()) addLosses(scores, losses[run]!, { batch, windows, before });
  return scores;
}
