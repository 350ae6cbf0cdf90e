/** Set in an entry's start where the table has no place for the code: its entry is then that of another code. */
const MISSING: u32 = 0x80000000;

/**
 * Encodes rows of codes (one byte each), the last one first, by `lanes` interleaved rANS states (64 bits each) for `decodeRows`.
 *
 * An entry of a table: ceil(2^44 / frequency) (64 bits), frequency (32), start (32). Tables are found as in `decodeRows`. States
 * are below 2^32 and, before a division, below frequency * 2^20: hence multiplying by the reciprocal is exact and stays below
 * 2^64. Words are written downwards from `words`, at most 2 bytes a code. `missing` gets the number of codes that their table
 * lacks and then the position of each, 32 bits each, falling. Returns where the first word stands.
 */
export function encodeRows(
  states: usize,
  words: usize,
  rowTables: usize,
  columnTables: usize,
  rows: i32,
  columns: i32,
  codes: usize,
  missing: usize,
  lanes: i32,
): usize {
  let at = codes + <usize>rows * <usize>columns;
  let nextMissing = missing + 4;
  for (let row = rows - 1; row >= 0; row--) {
    const base = <usize>load<u32>(rowTables + ((<usize>row) << 2));
    for (let column = columns - 1; column >= 0; column--) {
      at--;
      const entry = base + <usize>load<u32>(columnTables + ((<usize>column) << 2)) + ((<usize>load<u8>(at)) << 4);
      const stateAt = states + ((<usize>(column & (lanes - 1))) << 3);
      let state = load<u64>(stateAt);
      const frequency = <u64>load<u32>(entry, 8);
      let start = load<u32>(entry, 12);
      if (start & MISSING) {
        start ^= MISSING;
        store<u32>(nextMissing, <u32>(at - codes));
        nextMissing += 4;
      }
      if (state >= frequency << 20) {
        words -= 2;
        store<u16>(words, <u16>state);
        state >>= 16;
      }
      const quotient = (state * load<u64>(entry)) >> 44;
      store<u64>(stateAt, (quotient << 12) + (state - quotient * frequency) + <u64>start);
    }
  }
  store<u32>(missing, <u32>((nextMissing - missing) >> 2) - 1);
  return words;
}
