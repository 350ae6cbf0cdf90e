import { setImmediate } from 'node:timers/promises';
import { CompressionError, type TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { describeModel, findLogits, openSession, runSession, textFeeds } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { batchWindows } from '../batchWindows.ts';
import { checkWindows } from '../checkWindows.ts';
import { LOSS } from '../lossNodes.ts';
import { targetsOf, withoutLast } from '../openScorer.ts';
import type { ScoreOptions } from '../scoreWindows.ts';
import { withLoss } from '../withLoss.ts';

/** What a model says of each window's scored tokens, in the order of the windows. */
export interface ContinuationScores {
  /** Sum of ln p, nats. */
  readonly logLikelihood: Float64Array;
  /** 1 where each scored token is the most likely one. */
  readonly isGreedy: Uint8Array;
}

/** Tokens that go through the model together; see `scoreWindows`. */
const BATCH_TOKENS = 512;

/**
 * Scores the continuation of every window: the sum of ln p from `firstScored` on, and whether greedy decoding would have written it.
 *
 * Windows go in batches of one length, so the figures depend neither on their order nor on `batchTokens`; losses are reduced in the
 * graph and added in float64. What the answers of one item begin with is computed again for each: the attention of current exports takes
 * no batch behind a cache, and one answer at a time is slower than all of them whole.
 * Errors: those of `scoreWindows`. Cost: a forward pass and about 1.5 ns a logit.
 */
export async function scoreContinuations(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  options: Omit<ScoreOptions, 'baseline'>,
): Promise<ContinuationScores> {
  checkWindows(windows, findLogits(model).vocabularySize);
  const scores = { logLikelihood: new Float64Array(windows.length), isGreedy: new Uint8Array(windows.length).fill(1) };
  const total = windows.reduce((sum, { ids }) => sum + ids.length, 0);
  let done = 0;
  const session = await openSession(withLoss(model, options.device), options);
  try {
    for (const batch of batchWindows(windows, options.batchTokens ?? BATCH_TOKENS)) {
      // A pass blocks the event loop: without a turn of it nobody would have heard a signal.
      await setImmediate();
      if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Scoring was stopped.', { done, total });
      const ids = batch.map(index => windows[index]!.ids);
      const columns = ids[0]!.length - 1;
      const targets = new Tensor('int32', targetsOf(ids), [ids.length, columns, 1]);
      const feeds = textFeeds(session, { ids: withoutLast(ids), others: { [LOSS.targets]: targets } });
      const values = await runSession(session, feeds, describeModel(model));
      const losses = { columns, nll: floats(values, LOSS.nll), logConfidence: floats(values, LOSS.logConfidence) };
      for (const [row, index] of batch.entries()) {
        add(scores, losses, { row, index, window: windows[index]! });
        done += windows[index]!.ids.length;
      }
      options.onProgress?.(done, total);
    }
  } finally {
    await session.release();
  }
  return scores;
}

function floats(values: Readonly<Record<string, Tensor>>, name: string): Float32Array {
  return values[name]!.data as Float32Array;
}

/** Errors: NON_FINITE_ACTIVATION with the window and the token. */
function add(
  scores: ContinuationScores,
  losses: { readonly columns: number; readonly nll: Float32Array; readonly logConfidence: Float32Array },
  { row, index, window }: { readonly row: number; readonly index: number; readonly window: TokenWindow },
): void {
  for (let token = window.firstScored; token < window.ids.length; token++) {
    const at = row * losses.columns + token - 1;
    const nll = losses.nll[at]!;
    if (!Number.isFinite(nll)) {
      throw new CompressionError(
        'NON_FINITE_ACTIVATION',
        `The loss at token ${token} of text ${index} is ${nll}: the model overflows. Compute in float32 (--dtype fp32) or look for a damaged weight with \`quern inspect\`.`,
        { window: index, token, value: String(nll) },
      );
    }
    scores.logLikelihood[index]! -= nll;
    if (-nll < losses.logConfidence[at]!) scores.isGreedy[index] = 0;
  }
}
