import { codeFrequencies, PRECISION } from './codeFrequencies.ts';
import type { CodeLadder } from './codeTables.ts';

/** Bytes of a decoding table: 2^PRECISION slots of 4. */
export const DECODING_TABLE_BYTES = 4 << PRECISION;

/** Tables live as long as the record they were made for: a model's tensors share them. */
const cache = new WeakMap<CodeLadder, Map<number, Uint32Array>>();

/** Slots of a ladder's table number `scale`: frequency - 1 (12 bits), code (8), slot - start (12). Shared: do not write to it. */
export function decodingTable(ladder: CodeLadder, scale: number, bits: number): Uint32Array {
  let tables = cache.get(ladder);
  if (tables === undefined) {
    tables = new Map();
    cache.set(ladder, tables);
  }
  const key = 16 * scale + bits;
  let slots = tables.get(key);
  if (slots === undefined) {
    slots = fillSlots(codeFrequencies(ladder.shape, ladder.firstScale + scale, bits));
    tables.set(key, slots);
  }
  return slots;
}

function fillSlots(frequencies: Uint16Array): Uint32Array {
  const slots = new Uint32Array(1 << PRECISION);
  let slot = 0;
  for (let code = 0; code < frequencies.length; code++) {
    const head = (frequencies[code]! - 1) * 2 ** 20 + code * 2 ** 12;
    for (let rest = 0; rest < frequencies[code]!; rest++) slots[slot++] = head + rest;
  }
  return slots;
}
