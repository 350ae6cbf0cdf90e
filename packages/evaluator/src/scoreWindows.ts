import { setImmediate } from 'node:timers/promises';
import { CompressionError, type TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { type Device, deviceMemory, findLogits } from '@quern/runtime';
import { addLosses, tokensBefore } from './addLosses.ts';
import { batchLimit } from './batchLimit.ts';
import { batchWindows } from './batchWindows.ts';
import { checkWindows } from './checkWindows.ts';
import { emptyScores } from './emptyScores.ts';
import { joinScores } from './joinScores.ts';
import { openComparer } from './openComparer.ts';
import { openScorer } from './openScorer.ts';
import { scoredTokens, type WindowPart, wholeBatches } from './wholeBatches.ts';
import type { WindowScores } from './windowScores.ts';

export interface ScoreOptions {
  readonly device: Device;
  /** Threads of one operator; ONNX Runtime's choice (one per core) unless given. */
  readonly threads?: number;
  /** Also compare with this model, which must read the same vocabulary. Costs its forward pass and handing on its logits. */
  readonly baseline?: OnnxModel;
  /** Tokens that go through the model together; see `batchLimit` unless given. On a CPU it does not change the figures. */
  readonly batchTokens?: number;
  /** Tokens done and in all, after each batch; of a text that is still being cut the whole is an estimate. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Checked between batches. */
  readonly signal?: AbortSignal;
}

/**
 * Scores windows, or those of a text while it is still being cut: the same figures, as the same windows go through the model together.
 * Of each: the sum of -ln p over its tokens from `firstScored` on, how often the model was right, and how sure; with a
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
  windows: readonly TokenWindow[] | AsyncIterable<WindowPart>,
  options: ScoreOptions,
): Promise<WindowScores> {
  const { vocabularySize } = findLogits(model);
  const compares = options.baseline !== undefined;
  const memoryBytes = await deviceMemory(options.device);
  const batchTokens = (group: readonly TokenWindow[]): number =>
    options.batchTokens ??
    batchLimit({
      device: options.device,
      memoryBytes,
      vocabularySize,
      windowLength: group.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
      compares,
    });
  const isKnown = !(Symbol.asyncIterator in windows);
  if (isKnown) checkWindows(windows, vocabularySize);
  const groups = isKnown
    ? [{ windows, first: 0, totalTokens: scoredTokens(windows) }]
    : wholeBatches(windows, batchTokens);
  const scorer = options.baseline
    ? await openComparer(model, options.baseline, options)
    : await openScorer(model, options);
  const scored: WindowScores[] = [];
  let done = 0;
  try {
    for await (const group of groups) {
      const { windows, first, totalTokens } = group;
      if (!isKnown) checkWindows(windows, vocabularySize, first);
      const scores = emptyScores(windows, compares);
      const before = tokensBefore(scores);
      for (const batch of batchWindows(windows, batchTokens(windows))) {
        await listen(options.signal, { done, total: totalTokens });
        const losses = await scorer.score(batch.map(index => windows[index]!.ids));
        addLosses(scores, losses, { batch, windows, before, first });
        done += scoredTokens(batch.map(index => windows[index]!));
        options.onProgress?.(done, totalTokens);
      }
      scored.push(scores);
    }
  } finally {
    await scorer.release();
  }
  return joinScores(scored);
}

/** A pass blocks the event loop: without a turn of it nobody would have heard a signal, or of more windows. */
async function listen(
  signal: AbortSignal | undefined,
  progress: { readonly done: number; readonly total: number },
): Promise<void> {
  await setImmediate();
  if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Scoring was stopped.', progress);
}
