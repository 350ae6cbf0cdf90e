import { setImmediate } from 'node:timers/promises';
import { CompressionError, type TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { type Device, deviceMemory, findLogits } from '@quern/runtime';
import { addLosses, tokensBefore } from './addLosses.ts';
import { batchLimit } from './batchLimit.ts';
import { batchWindows } from './batchWindows.ts';
import { checkWindows } from './checkWindows.ts';
import { emptyScores } from './emptyScores.ts';
import { openComparer } from './openComparer.ts';
import { openScorer } from './openScorer.ts';
import type { WindowScores } from './windowScores.ts';

export interface ScoreOptions {
  readonly device: Device;
  /** Threads of one operator; ONNX Runtime's choice (one per core) unless given. */
  readonly threads?: number;
  /** Also compare with this model, which must read the same vocabulary. Costs its forward pass and handing on its logits. */
  readonly baseline?: OnnxModel;
  /** Tokens that go through the model together; see `batchLimit` unless given. On a CPU it does not change the figures. */
  readonly batchTokens?: number;
  /** Tokens done and in all, after each batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Checked between batches. */
  readonly signal?: AbortSignal;
}

/**
 * Scores every window: the sum of -ln p over its tokens from `firstScored` on, how often the model was right, and how sure; with a
 * baseline also the same of the baseline, the KL divergence of the model from it, and how often both find the same token most likely.
 *
 * Losses are reduced in the graph, in float32 per token, and added in float64 in the order of the tokens. Windows must fit
 * the model's context.
 * Errors: INVALID_OPTION, INVALID_TOKENIZER (see `checkWindows`); UNSUPPORTED_MODEL; RUNTIME_FAILED; NON_FINITE_ACTIVATION with
 * the window and the token; INTERRUPTED when the signal is set.
 * Cost: a forward pass and about 1 ns a logit; memory for 2 float32 copies of a batch's logits. With a baseline both forward
 * passes return their logits, and about 6 ns a logit; 4 bytes a scored token, as its id takes; memory for up to 6 copies, mostly on their way to JavaScript.
 */
export async function scoreWindows(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  options: ScoreOptions,
): Promise<WindowScores> {
  const { vocabularySize } = findLogits(model);
  checkWindows(windows, vocabularySize);
  const scores = emptyScores(windows, options.baseline !== undefined);
  const limit = batchLimit({
    device: options.device,
    memoryBytes: await deviceMemory(options.device),
    vocabularySize,
    windowLength: windows.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
    compares: options.baseline !== undefined,
  });
  const batches = batchWindows(windows, options.batchTokens ?? limit);
  const total = tokensIn(batches.flat(), windows);
  const before = tokensBefore(scores);
  let done = 0;
  const scorer = options.baseline
    ? await openComparer(model, options.baseline, options)
    : await openScorer(model, options);
  try {
    for (const batch of batches) {
      // A pass blocks the event loop: without a turn of it nobody would have heard a signal.
      await setImmediate();
      if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Scoring was stopped.', { done, total });
      const losses = await scorer.score(batch.map(index => windows[index]!.ids));
      addLosses(scores, losses, { batch, windows, before });
      done += tokensIn(batch, windows);
      options.onProgress?.(done, total);
    }
  } finally {
    await scorer.release();
  }
  return scores;
}

function tokensIn(batch: readonly number[], windows: readonly TokenWindow[]): number {
  return batch.reduce((tokens, index) => tokens + windows[index]!.ids.length, 0);
}
