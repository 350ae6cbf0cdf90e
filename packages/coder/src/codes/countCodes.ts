import type { CodeLayout } from '../codeLayout.ts';
import { unpackBlocks } from '../unpackBlocks.ts';

/** How often every code stands in every column. */
export interface CodeCounts {
  readonly bits: number;
  readonly columns: number;
  /** `[columns, 2^bits]` */
  readonly counts: Uint32Array;
}

/**
 * Counts the codes of a packed weight column by column; padding is not counted.
 *
 * @throws RangeError when the bytes do not fill the layout.
 * Cost: one pass; 4 * columns * 2^bits bytes for the result.
 */
export function countCodes(bytes: Uint8Array, layout: CodeLayout): CodeCounts {
  const { rows, columns, bits } = layout;
  const codes = unpackBlocks(bytes, layout);
  const counts = new Uint32Array(columns << bits);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) counts[(column << bits) + codes[at]!]!++;
  }
  return { bits, columns, counts };
}
