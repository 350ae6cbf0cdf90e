import { createHash } from 'node:crypto';
import { CompressionError, uniformNumbers } from '@quern/core';
import type { TextSet } from './textSet.ts';

/**
 * The documents of several sets as one text, in an order that the seed decides: each set is shuffled, then the next document always
 * comes from the set of which the smallest share was taken, by characters. So every beginning of the text, however short, is made
 * of all sets by their sizes, up to a document.
 *
 * `sha256` is that of the sources and the seed. Errors: INVALID_OPTION for no set.
 */
export function mixTextSets(id: string, sets: readonly TextSet[], seed: number): TextSet {
  if (sets.length === 0) throw new CompressionError('INVALID_OPTION', `The text ${id} is made of no set.`, { id });
  const uniform = uniformNumbers(seed);
  const queues = sets.map(({ documents }) => ({
    documents: shuffled(documents, uniform),
    total: documents.reduce((sum, document) => sum + document.length, 0),
    taken: 0,
    next: 0,
  }));
  const documents: string[] = [];
  for (;;) {
    const waiting = queues.filter(queue => queue.next < queue.documents.length);
    if (waiting.length === 0) break;
    const behind = waiting.reduce((least, queue) => (shareOf(queue) < shareOf(least) ? queue : least));
    const document = behind.documents[behind.next++]!;
    behind.taken += document.length;
    documents.push(document);
  }
  const sources = sets.flatMap(set => set.sources);
  const sha256 = createHash('sha256')
    .update(JSON.stringify([sources.map(source => source.sha256), seed]))
    .digest('hex');
  const licences = new Set(sets.map(set => set.licence));
  const licence = licences.size === 1 ? sets[0]!.licence : [...licences].join(', ');
  return { id, path: sets.map(set => set.path).join(', '), sha256, licence, sources, documents };
}

/** The share of a set that was taken, by characters. */
function shareOf(queue: { readonly taken: number; readonly total: number }): number {
  return queue.taken / queue.total;
}

/** Fisher-Yates. */
function shuffled(documents: readonly string[], uniform: () => number): string[] {
  const order = [...documents];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
