import { packCodes } from './packCodes';

const SLOT_MASK: i32 = 4095;

/** Eight codes of 16 bits. */
const GROUP = memory.data(16, 16);

/** For each set of lanes, which bytes of the next words each lane takes; 128 takes none. */
const SHUFFLES = memory.data<u8>([
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0,
  1, 128, 128, 2, 3, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1,
  128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 128, 128, 128, 128, 2, 3, 128, 128, 128, 128, 128, 128, 128, 128, 128,
  128, 0, 1, 128, 128, 2, 3, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 2, 3, 128, 128, 4, 5, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 0, 1, 128, 128, 128, 128, 128,
  128, 128, 128, 128, 128, 2, 3, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128, 128, 128, 128, 128, 2, 3, 128, 128, 0, 1,
  128, 128, 2, 3, 128, 128, 128, 128, 128, 128, 4, 5, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 1, 128, 128,
  2, 3, 128, 128, 0, 1, 128, 128, 128, 128, 128, 128, 2, 3, 128, 128, 4, 5, 128, 128, 128, 128, 128, 128, 0, 1, 128,
  128, 2, 3, 128, 128, 4, 5, 128, 128, 0, 1, 128, 128, 2, 3, 128, 128, 4, 5, 128, 128, 6, 7, 128, 128,
]);

/**
 * Decodes rows of codes by interleaved rANS states and packs them into container bytes: `groups` groups of eight codes a row, of
 * which the first `columns` codes are coded and the rest are the row's byte at `pads`.
 *
 * Column c belongs to state c mod `lanes`: 16, which decode together, or 1, which spares a small matrix the bytes of the
 * others. There is room for 16 at `states` (32 bits each).
 *
 * A table has 2^12 slots of 32 bits: frequency - 1 (12 bits), code (8), slot - start (12). Code (row, column) takes the one at
 * the row's address at `rowTables` plus the column's offset at `columnTables` (32 bits each). Reads at most 2 bytes a code and 8
 * more from `words`; returns where the first word not taken stands.
 */
export function decodeRows(
  states: usize,
  words: usize,
  rowTables: usize,
  columnTables: usize,
  pads: usize,
  rows: i32,
  columns: i32,
  groups: i32,
  out: usize,
  bits: i32,
  lanes: i32,
): usize {
  let a = v128.load(states);
  let b = v128.load(states, 16);
  let c = v128.load(states, 32);
  let d = v128.load(states, 48);
  const whole = lanes === 16 ? columns & ~15 : 0;
  const wholeEnd = columnTables + ((<usize>whole) << 2);
  for (let row = 0; row < rows; row++, rowTables += 4, pads++) {
    const base = v128.load32_splat(rowTables);
    const rowEnd = out + <usize>(groups * bits);
    // Four states in a register, four registers: enough to hide how long a look-up takes.
    for (let at = columnTables; at < wholeEnd; at += 64) {
      const entriesA = entriesAt(base, v128.load(at), a);
      const entriesB = entriesAt(base, v128.load(at, 16), b);
      const entriesC = entriesAt(base, v128.load(at, 32), c);
      const entriesD = entriesAt(base, v128.load(at, 48), d);
      a = advance(a, entriesA);
      b = advance(b, entriesB);
      c = advance(c, entriesC);
      d = advance(d, entriesD);

      const lowA = isLow(a);
      const setA = i32x4.bitmask(lowA);
      a = v128.bitselect(v128.or(i32x4.shl(a, 16), wordsFor(words, setA)), a, lowA);
      words += (<usize>popcnt(setA)) << 1;
      const lowB = isLow(b);
      const setB = i32x4.bitmask(lowB);
      b = v128.bitselect(v128.or(i32x4.shl(b, 16), wordsFor(words, setB)), b, lowB);
      words += (<usize>popcnt(setB)) << 1;
      const lowC = isLow(c);
      const setC = i32x4.bitmask(lowC);
      c = v128.bitselect(v128.or(i32x4.shl(c, 16), wordsFor(words, setC)), c, lowC);
      words += (<usize>popcnt(setC)) << 1;
      const lowD = isLow(d);
      const setD = i32x4.bitmask(lowD);
      d = v128.bitselect(v128.or(i32x4.shl(d, 16), wordsFor(words, setD)), d, lowD);
      words += (<usize>popcnt(setD)) << 1;

      packCodes(out, i16x8.narrow_i32x4_u(codesOf(entriesA), codesOf(entriesB)), bits);
      packCodes(out + bits, i16x8.narrow_i32x4_u(codesOf(entriesC), codesOf(entriesD)), bits);
      out += 2 * bits;
    }
    const pad = i16x8.splat(<i16>load<u8>(pads));
    if (whole < columns) {
      v128.store(states, a);
      v128.store(states, b, 16);
      v128.store(states, c, 32);
      v128.store(states, d, 48);
      for (let column = whole; column < columns; column += 8) {
        words = decodeGroup(
          states,
          words,
          load<u32>(rowTables),
          columnTables,
          column,
          min(column + 8, columns),
          pad,
          lanes,
        );
        packCodes(out, v128.load(GROUP), bits);
        out += bits;
      }
      a = v128.load(states);
      b = v128.load(states, 16);
      c = v128.load(states, 32);
      d = v128.load(states, 48);
    }
    for (; out < rowEnd; out += bits) packCodes(out, pad, bits);
  }
  v128.store(states, a);
  v128.store(states, b, 16);
  v128.store(states, c, 32);
  v128.store(states, d, 48);
  return words;
}

/** What four tables hold where the low bits of four states point. */
function entriesAt(base: v128, offsets: v128, state: v128): v128 {
  const slots = v128.and(state, i32x4.splat(SLOT_MASK));
  const addresses = i32x4.add(i32x4.add(base, offsets), i32x4.shl(slots, 2));
  let entries = v128.load32_zero(i32x4.extract_lane(addresses, 0));
  entries = v128.load32_lane(i32x4.extract_lane(addresses, 1), entries, 1);
  entries = v128.load32_lane(i32x4.extract_lane(addresses, 2), entries, 2);
  return v128.load32_lane(i32x4.extract_lane(addresses, 3), entries, 3);
}

/** state = frequency * (state >> 12) + slot - start */
function advance(state: v128, entries: v128): v128 {
  const quotients = i32x4.shr_u(state, 12);
  const products = i32x4.add(i32x4.mul(i32x4.shr_u(entries, 20), quotients), quotients);
  return i32x4.add(products, v128.and(entries, i32x4.splat(SLOT_MASK)));
}

/** All ones for the states that take in a word. */
function isLow(state: v128): v128 {
  return i32x4.eq(i32x4.shr_u(state, 16), i32x4.splat(0));
}

function codesOf(entries: v128): v128 {
  return v128.and(i32x4.shr_u(entries, 12), i32x4.splat(255));
}

/** The next words, dealt out to the lanes of a set in order. */
function wordsFor(words: usize, set: i32): v128 {
  return i8x16.swizzle(v128.load64_zero(words), v128.load(SHUFFLES + ((<usize>set) << 4)));
}

/** Codes of the columns [from, to), one after the other, over `pad` into GROUP. */
function decodeGroup(
  states: usize,
  words: usize,
  rowTable: usize,
  columnTables: usize,
  from: i32,
  to: i32,
  pad: v128,
  lanes: i32,
): usize {
  v128.store(GROUP, pad);
  for (let column = from; column < to; column++) {
    const stateAt = states + ((<usize>(column & (lanes - 1))) << 2);
    const tableAt = rowTable + <usize>load<u32>(columnTables + ((<usize>column) << 2));
    const state = load<u32>(stateAt);
    const entry = load<u32>(tableAt + ((<usize>(state & <u32>SLOT_MASK)) << 2));
    const quotient = state >> 12;
    let next = (entry >> 20) * quotient + quotient + (entry & <u32>SLOT_MASK);
    if (next < 65536) {
      next = (next << 16) | <u32>load<u16>(words);
      words += 2;
    }
    store<u32>(stateAt, next);
    store<u16>(GROUP + ((<usize>(column & 7)) << 1), <u16>((entry >> 12) & 255));
  }
  return words;
}
