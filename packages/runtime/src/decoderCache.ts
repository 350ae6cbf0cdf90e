import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { isPast } from './emptyPast.ts';
import type { TextBatch } from './textFeeds.ts';

/** Cache outputs by the input that they feed in the next step; null when the graph has no complete cache. */
export function cacheNames(session: InferenceSession): ReadonlyMap<string, string> | null {
  const names = new Map<string, string>();
  for (const past of session.inputNames.filter(isPast)) {
    const candidates = [past.replace(/^past_key_values/, 'present'), past.replace(/^past/, 'present')];
    const present = candidates.find(name => session.outputNames.includes(name));
    if (present === undefined) return null;
    names.set(past, present);
  }
  return names.size === 0 ? null : names;
}

/** The cache after `length` tokens, for the next step. */
export function advanceCache(
  names: ReadonlyMap<string, string>,
  outputs: Readonly<Record<string, Tensor>>,
  length: number,
): NonNullable<TextBatch['past']> {
  const values: Record<string, Tensor> = {};
  for (const [past, present] of names) values[past] = outputs[present]!;
  return { length, values };
}

/** The name of the output that holds logits. */
export function logitsName(session: InferenceSession): string {
  return session.outputNames.includes('logits') ? 'logits' : session.outputNames[0]!;
}

/** The last logits of each sequence, of `[batch, sequence, vocabulary]`, as views. */
export function lastLogits(logits: Tensor): ArrayLike<number>[] {
  // float16 logits arrive as Float16Array, which the declared type does not know.
  const data = logits.data as Float32Array;
  const vocabulary = logits.dims.at(-1)!;
  const rows = logits.dims[0]!;
  const length = data.length / rows;
  return Array.from({ length: rows }, (_, row) => data.subarray((row + 1) * length - vocabulary, (row + 1) * length));
}
