import { bytesPerRow, type CodeLayout, paddedColumns } from '../codeLayout.ts';

/** @throws RangeError when the padding of a packed weight is not `padCode`: decoding would not bring it back. */
export function requirePadding(bytes: Uint8Array, layout: CodeLayout): void {
  const { rows, columns, bits, padCode } = layout;
  const stored = paddedColumns(layout);
  const rowBytes = bytesPerRow(stored, bits);
  for (let row = 0; row < rows; row++) {
    const pad = typeof padCode === 'number' ? padCode : padCode[row]!;
    for (let column = columns; column < stored; column++) {
      const bit = column * bits;
      const code = (bytes[row * rowBytes + (bit >> 3)]! >> (bit & 7)) & ((1 << bits) - 1);
      if (code === pad) continue;
      throw new RangeError(`padding of row ${row} holds ${code}, not ${pad}; count the padding among the columns`);
    }
  }
}
