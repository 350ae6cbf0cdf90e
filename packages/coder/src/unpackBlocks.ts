import { type BlockLayout, paddedColumns } from './codeLayout.ts';
import { unpackPadded } from './unpackRows.ts';

/**
 * The inverse of `packBlocks`: codes `[rows, columns]`, padding dropped.
 *
 * @throws RangeError when the bytes do not fill the layout.
 */
export function unpackBlocks(packed: Uint8Array, layout: BlockLayout): Uint8Array {
  return unpackPadded(packed, layout, paddedColumns(layout));
}
