import { bytesPerRow, type RowLayout } from './codeLayout.ts';

/**
 * The inverse of `packRows`: codes `[rows, columns]`.
 *
 * @throws RangeError when the bytes do not fill the layout.
 */
export function unpackRows(packed: Uint8Array, layout: RowLayout): Uint8Array {
  return unpackPadded(packed, layout, layout.columns);
}

/** The same for rows of `storedColumns` codes, of which the first `columns` are wanted. */
export function unpackPadded(packed: Uint8Array, layout: RowLayout, storedColumns: number): Uint8Array {
  const { rows, columns, bits } = layout;
  const rowBytes = bytesPerRow(storedColumns, bits);
  if (packed.length !== rows * rowBytes) {
    throw new RangeError(`${packed.length} bytes do not fill ${rows} rows of ${rowBytes}`);
  }
  const codes = new Uint8Array(rows * columns);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const fullBytes = Math.floor(columns / perByte);
  for (let row = 0; row < rows; row++) {
    const source = row * rowBytes;
    const target = row * columns;
    if (bits === 8) codes.set(packed.subarray(source, source + columns), target);
    else if (bits === 4) unpackNibbles(packed, source, codes, target, fullBytes);
    else unpackPairs(packed, source, codes, target, fullBytes);
    for (let column = fullBytes * perByte; column < columns; column++) {
      codes[target + column] = (packed[source + fullBytes]! >> ((column % perByte) * bits)) & mask;
    }
  }
  return codes;
}

function unpackNibbles(packed: Uint8Array, source: number, codes: Uint8Array, target: number, count: number): void {
  for (let index = 0, at = target; index < count; index++, at += 2) {
    const byte = packed[source + index]!;
    codes[at] = byte & 15;
    codes[at + 1] = byte >> 4;
  }
}

function unpackPairs(packed: Uint8Array, source: number, codes: Uint8Array, target: number, count: number): void {
  for (let index = 0, at = target; index < count; index++, at += 4) {
    const byte = packed[source + index]!;
    codes[at] = byte & 3;
    codes[at + 1] = (byte >> 2) & 3;
    codes[at + 2] = (byte >> 4) & 3;
    codes[at + 3] = byte >> 6;
  }
}
