import { CompressionError } from '@quern/core';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { isPast } from './emptyPast.ts';
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
  const logitsName = session.outputNames.includes('logits') ? 'logits' : session.outputNames[0]!;
  const generated: number[] = [];
  let batch: TextBatch = { ids: [promptIds], keepLast: 1 };
  while (true) {
    if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Generation was stopped.');
    const outputs = await runSession(session, textFeeds(session, batch), 'the model');
    const next = options.choose(lastRow(outputs[logitsName]!));
    generated.push(next);
    yield next;
    batch = cache
      ? {
          ids: [Int32Array.of(next)],
          keepLast: 1,
          past: advance(cache, outputs, promptIds.length + generated.length - 1),
        }
      : { ids: [Int32Array.of(...promptIds, ...generated)], keepLast: 1 };
  }
}

/** Cache inputs by the output that feeds the next step; null when the graph has no complete cache. */
function cacheNames(session: InferenceSession): ReadonlyMap<string, string> | null {
  const pasts = session.inputNames.filter(isPast);
  const names = new Map<string, string>();
  for (const past of pasts) {
    const candidates = [past.replace(/^past_key_values/, 'present'), past.replace(/^past/, 'present')];
    const present = candidates.find(name => session.outputNames.includes(name));
    if (present === undefined) return null;
    names.set(past, present);
  }
  return names.size === 0 ? null : names;
}

function advance(
  cache: ReadonlyMap<string, string>,
  outputs: Readonly<Record<string, Tensor>>,
  length: number,
): NonNullable<TextBatch['past']> {
  const values: Record<string, Tensor> = {};
  for (const [past, present] of cache) values[past] = outputs[present]!;
  return { length, values };
}

/** The last row of logits `[1, sequence, vocabulary]`, as a view. */
function lastRow(logits: Tensor): ArrayLike<number> {
  // float16 logits arrive as Float16Array, which the declared type does not know.
  const data = logits.data as Float32Array;
  return data.subarray(data.length - logits.dims.at(-1)!);
}
