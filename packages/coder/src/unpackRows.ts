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
  const indexBits = bits === 8 ? 0 : bits === 4 ? 1 : 2;
  const slotMask = (1 << indexBits) - 1;
  const codeMask = (1 << bits) - 1;
  for (let row = 0; row < rows; row++) {
    const source = row * rowBytes;
    const target = row * columns;
    for (let column = 0; column < columns; column++) {
      codes[target + column] = (packed[source + (column >> indexBits)]! >> ((column & slotMask) * bits)) & codeMask;
    }
  }
  return codes;
}
