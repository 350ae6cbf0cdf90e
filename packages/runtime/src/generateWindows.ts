import { CompressionError, uniformNumbers } from '@quern/core';
import type { InferenceSession } from 'onnxruntime-node';
import { advanceCache, cacheNames, lastLogits, logitsName } from './decoderCache.ts';
import { runSession } from './runSession.ts';
import { sampleToken } from './sampleToken.ts';
import { type TextBatch, textFeeds } from './textFeeds.ts';

export interface GenerateWindowsOptions {
  /** Seeds of the windows, one each. */
  readonly seeds: readonly number[];
  /** Tokens a window, 2 or more. */
  readonly windowLength: number;
  /** What a text begins with. */
  readonly beginId: number;
  /** Tokens that end a text: `beginId` takes their place and the next text follows in the same window. */
  readonly endIds: ReadonlySet<number>;
  /** Divides the logits, above 0. */
  readonly temperature: number;
  /** Called after each step with the tokens so far, over all windows. */
  readonly onTokens?: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Draws of different windows begin this far from each other in the seeds. */
const SEED_STEP = 0x9e3779b9;

/**
 * Texts that a decoder writes by itself, cut like those that people wrote: windows of whole texts one after the other. All
 * windows grow together, one step of the decoder for a token of each, with its key-value cache where it has one.
 *
 * Each token is drawn from softmax(logits / temperature) over the whole vocabulary: samples of the model's own distribution.
 * Errors: UNSUPPORTED_MODEL, RUNTIME_FAILED, NON_FINITE_ACTIVATION, INTERRUPTED.
 * Cost: windowLength steps of a batch; the cache of all windows in memory, twice.
 */
export async function generateWindows(
  session: InferenceSession,
  options: GenerateWindowsOptions,
): Promise<Int32Array[]> {
  const { seeds, windowLength, beginId, endIds, temperature, onTokens, signal } = options;
  const windows = seeds.map(() => Int32Array.of(beginId, ...new Int32Array(windowLength - 1)));
  const draws = seeds.map(seed => uniformNumbers(Math.imul(seed, SEED_STEP)));
  const cache = cacheNames(session);
  const logits = logitsName(session);
  let past: TextBatch['past'];
  for (let length = 1; length < windowLength; length++) {
    if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Generation was stopped.');
    const ids = windows.map(window => window.subarray(cache ? length - 1 : 0, length));
    const batch: TextBatch = { ids, keepLast: 1, ...(past ? { past } : {}) };
    const outputs = await runSession(session, textFeeds(session, batch), 'the model');
    for (const [row, last] of lastLogits(outputs[logits]!).entries()) {
      const id = sampleToken(last, { temperature }, draws[row]!());
      windows[row]![length] = endIds.has(id) ? beginId : id;
    }
    if (cache) past = advanceCache(cache, outputs, length);
    onTokens?.((length + 1) * windows.length);
  }
  return windows;
}
