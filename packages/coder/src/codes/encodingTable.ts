import { codeFrequencies } from './codeFrequencies.ts';
import type { CodeLadder } from './codeTables.ts';

/** Bytes of a code's entry. */
export const ENTRY_BYTES = 16;

const MISSING = 0x80000000;

/**
 * Entries of a ladder's table number `scale`: ceil(2^44 / frequency) (8 bytes), frequency (4), start (4). A code that the table
 * lacks gets the entry of the middle code, marked in its start.
 */
export function encodingTable(ladder: CodeLadder, scale: number, bits: number): Uint8Array {
  const frequencies = codeFrequencies(ladder.shape, ladder.firstScale + scale, bits);
  const starts = new Uint32Array(frequencies.length);
  for (let code = 1; code < starts.length; code++) starts[code] = starts[code - 1]! + frequencies[code - 1]!;
  const bytes = new Uint8Array(frequencies.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let code = 0; code < frequencies.length; code++) {
    const missing = frequencies[code] === 0;
    const coded = missing ? frequencies.length >> 1 : code;
    const reciprocal = Math.ceil(2 ** 44 / frequencies[coded]!);
    view.setUint32(code * ENTRY_BYTES, reciprocal % 2 ** 32, true);
    view.setUint32(code * ENTRY_BYTES + 4, Math.floor(reciprocal / 2 ** 32), true);
    view.setUint32(code * ENTRY_BYTES + 8, frequencies[coded]!, true);
    view.setUint32(code * ENTRY_BYTES + 12, starts[coded]! + (missing ? MISSING : 0), true);
  }
  return bytes;
}
