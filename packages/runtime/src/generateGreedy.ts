import { CompressionError } from '@quern/core';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { isPast } from './emptyPast.ts';
import { runSession } from './runSession.ts';
import { type TextBatch, textFeeds } from './textFeeds.ts';

export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** Generation ends with the first of these, which is part of the result. */
  readonly stopIds: readonly number[];
  /** Called with each new token, for streaming. */
  readonly onToken?: (id: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Continues a prompt with the most likely token at each step (the lowest id of equals).
 *
 * Uses the key-value cache where every `past...` input has its `present...` output; otherwise the whole text is computed
 * again for each token. `promptIds` holds at least one token. Returns the new ids only.
 * Errors: UNSUPPORTED_MODEL, RUNTIME_FAILED, NON_FINITE_ACTIVATION, INTERRUPTED.
 */
export async function generateGreedy(
  session: InferenceSession,
  promptIds: Int32Array,
  options: GenerateOptions,
): Promise<Int32Array> {
  if (promptIds.length === 0)
    throw new CompressionError('INVALID_OPTION', 'The prompt is empty: give at least one token.');
  const cache = cacheNames(session);
  const logitsName = session.outputNames.includes('logits') ? 'logits' : session.outputNames[0]!;
  const generated: number[] = [];
  let batch: TextBatch = { ids: [promptIds], keepLast: 1 };
  while (generated.length < options.maxNewTokens) {
    if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Generation was stopped.');
    const outputs = await runSession(session, textFeeds(session, batch), 'the model');
    const next = mostLikely(outputs[logitsName]!, generated.length);
    generated.push(next);
    options.onToken?.(next);
    if (options.stopIds.includes(next)) break;
    batch = cache
      ? {
          ids: [Int32Array.of(next)],
          keepLast: 1,
          past: advance(cache, outputs, promptIds.length + generated.length - 1),
        }
      : { ids: [Int32Array.of(...promptIds, ...generated)], keepLast: 1 };
  }
  return Int32Array.from(generated);
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

/** Index of the largest of the last row of logits `[1, sequence, vocabulary]`. */
function mostLikely(logits: Tensor, step: number): number {
  const vocabularySize = logits.dims.at(-1)!;
  // float16 logits arrive as Float16Array, which the declared type does not know.
  const data = logits.data as ArrayLike<number>;
  const start = data.length - vocabularySize;
  let best = 0;
  for (let id = 0; id < vocabularySize; id++) {
    const value = data[start + id]!;
    if (Number.isNaN(value)) {
      throw new CompressionError('NON_FINITE_ACTIVATION', `The logits of new token ${step + 1} hold NaN.`, { step });
    }
    if (value > data[start + best]!) best = id;
  }
  return best;
}
