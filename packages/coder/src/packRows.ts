import type { RowLayout } from './codeLayout.ts';
import { packPadded } from './packPadded.ts';

/**
 * Packs codes `[rows, columns]`, each row padded with zeros to whole bytes, low bits first: the layout of packed zero
 * points.
 *
 * @throws RangeError when the codes do not fill the layout or one of them does not fit its width.
 */
export function packRows(codes: Uint8Array, layout: RowLayout): Uint8Array {
  return packPadded(codes, layout, { storedColumns: layout.columns, padCode: 0, codeOffset: 0 });
}
