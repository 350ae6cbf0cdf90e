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

export interface BlockScoreOptions extends Omit<BlockOptions, 'onProgress'> {
  /** Also compare with this model, as `scoreWindows` does. */
  readonly baseline?: BlockModel | undefined;
  /** Work done and in all, in tokens through the whole model, and where it stands. */
  readonly onProgress?: (done: number, total: number, place: string) => void;
}

/**
 * Scores windows like `scoreWindows` without ever opening a whole model (see `lossesByBlocks`).
 *
 * The same figures up to rounding: a head in slices adds in another order. Errors: those of `scoreWindows`.
 */
export async function scoreByBlocks(
  own: BlockModel,
  windows: readonly TokenWindow[],
  { baseline, onProgress, ...options }: BlockScoreOptions,
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
  const tokens = batches.flat().reduce((sum, index) => sum + windows[index]!.ids.length, 0);
  const losses = await lossesByBlocks(
    own,
    baseline ?? null,
    batches.map(batch => batch.map(index => windows[index]!.ids)),
    {
      ...options,
      onProgress: (share, place) => onProgress?.(Math.round(tokens * share), tokens, place),
    },
  );
  const before = tokensBefore(scores);
  for (const [run, batch] of batches.entries()) addLosses(scores, losses[run]!, { batch, windows, before });
  return scores;
}
