import { bytesPerRow, type RowLayout } from './codeLayout.ts';

/** What a packing needs to know beyond its layout. */
export interface Padding {
  /** Columns of a stored row, at least `columns`; the rest of the last byte is filled too. */
  readonly storedColumns: number;
  /** Code that stands in the padding, one for all rows or one a row. Not shifted by `codeOffset`. */
  readonly padCode: number | Uint8Array;
  /** Added to every code: moves a narrow grid to the middle of a wider container. */
  readonly codeOffset: number;
}

/**
 * Packs codes `[rows, columns]` row by row, low bits first.
 *
 * @throws RangeError when the codes do not fill the layout or one of them does not fit its width.
 * Cost: one pass; no scratch memory.
 */
export function packPadded(codes: Uint8Array, layout: RowLayout, padding: Padding): Uint8Array {
  const { rows, columns, bits } = layout;
  const { storedColumns, padCode, codeOffset } = padding;
  if (codes.length !== rows * columns) {
    throw new RangeError(`${codes.length} codes do not fill ${rows} rows of ${columns}`);
  }
  const perByte = 8 / bits;
  const rowBytes = bytesPerRow(storedColumns, bits);
  const fullBytes = Math.floor(columns / perByte);
  const packed = new Uint8Array(rows * rowBytes);
  let seen = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const target = row * rowBytes;
    const pad = typeof padCode === 'number' ? padCode : padCode[row]!;
    seen |= pad;
    if (bits === 8) seen |= packBytes(codes, start, packed, target, fullBytes, codeOffset);
    else if (bits === 4) seen |= packNibbles(codes, start, packed, target, fullBytes, codeOffset);
    else seen |= packPairs(codes, start, packed, target, fullBytes, codeOffset);
    for (let byte = fullBytes; byte < rowBytes; byte++) {
      let value = 0;
      for (let slot = 0; slot < perByte; slot++) {
        const column = byte * perByte + slot;
        const code = column < columns ? codes[start + column]! + codeOffset : pad;
        seen |= code;
        value |= code << (slot * bits);
      }
      packed[target + byte] = value;
    }
  }
  if (seen >>> bits !== 0) throw new RangeError(`a code does not fit in ${bits} bits`);
  return packed;
}

// The three loops return every code they met, or-ed together, so that one test after the last row finds a code too wide.

function packBytes(
  codes: Uint8Array,
  start: number,
  packed: Uint8Array,
  target: number,
  count: number,
  offset: number,
): number {
  let seen = 0;
  for (let index = 0; index < count; index++) {
    const code = codes[start + index]! + offset;
    seen |= code;
    packed[target + index] = code;
  }
  return seen;
}

function packNibbles(
  codes: Uint8Array,
  start: number,
  packed: Uint8Array,
  target: number,
  count: number,
  offset: number,
): number {
  let seen = 0;
  for (let index = 0, source = start; index < count; index++, source += 2) {
    const low = codes[source]! + offset;
    const high = codes[source + 1]! + offset;
    seen |= low | high;
    packed[target + index] = low | (high << 4);
  }
  return seen;
}

function packPairs(
  codes: Uint8Array,
  start: number,
  packed: Uint8Array,
  target: number,
  count: number,
  offset: number,
): number {
  let seen = 0;
  for (let index = 0, source = start; index < count; index++, source += 4) {
    const first = codes[source]! + offset;
    const second = codes[source + 1]! + offset;
    const third = codes[source + 2]! + offset;
    const fourth = codes[source + 3]! + offset;
    seen |= first | second | third | fourth;
    packed[target + index] = first | (second << 2) | (third << 4) | (fourth << 6);
  }
  return seen;
}
