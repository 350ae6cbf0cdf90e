import { CompressionError } from '@quern/core';
import type { InferenceSession } from 'onnxruntime-node';
import { advanceCache, cacheNames, lastLogits, logitsName } from './decoderCache.ts';
import { runSession } from './runSession.ts';
import { type TextBatch, textFeeds } from './textFeeds.ts';

/** Turns the logits `[vocabularySize]` of the next token into its id. Throws for logits that no token can be chosen from. */
export type ChooseToken = (logits: ArrayLike<number>) => number;

/**
 * Continues a prompt, one token at a time, for as long as it is asked for more.
 *
 * Uses the key-value cache where every `past...` input has its `present...` output; otherwise the whole text is computed
 * again for each token. `promptIds` holds at least one token.
 * Errors: UNSUPPORTED_MODEL, RUNTIME_FAILED, INVALID_OPTION for an empty prompt, INTERRUPTED, those of `choose`.
 */
export async function* generateTokens(
  session: InferenceSession,
  promptIds: Int32Array,
  options: { readonly choose: ChooseToken; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<number, void, void> {
  if (promptIds.length === 0)
    throw new CompressionError('INVALID_OPTION', 'The prompt is empty: give at least one token.');
  const cache = cacheNames(session);
  const logits = logitsName(session);
  const generated: number[] = [];
  let batch: TextBatch = { ids: [promptIds], keepLast: 1 };
  while (true) {
    if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Generation was stopped.');
    const outputs = await runSession(session, textFeeds(session, batch), 'the model');
    const next = options.choose(lastLogits(outputs[logits]!)[0]!);
    generated.push(next);
    yield next;
    batch = cache
      ? {
          ids: [Int32Array.of(next)],
          keepLast: 1,
          past: advanceCache(cache, outputs, promptIds.length + generated.length - 1),
        }
      : { ids: [Int32Array.of(...promptIds, ...generated)], keepLast: 1 };
  }
}
