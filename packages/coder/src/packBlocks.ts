import { type BlockLayout, paddedColumns } from './codeLayout.ts';
import { packPadded } from './packPadded.ts';

/** A block layout and what fills its padding. */
export interface BlockPacking extends BlockLayout {
  /** Code in the padding of a row's last block, one for all rows or one a row: the zero point, so that padding reads 0. */
  readonly padCode: number | Uint8Array;
  /** Added to every code, 0 unless given: moves a narrow grid to the middle of a wider container. */
  readonly codeOffset?: number;
}

/**
 * Packs codes `[rows, columns]` into the layout of MatMulNBits' weight: `[rows, blockCount, blockSize * bits / 8]`,
 * low bits first.
 *
 * @throws RangeError when the codes do not fill the layout or one of them does not fit its width.
 * Cost: one pass over the codes; no scratch memory.
 */
export function packBlocks(codes: Uint8Array, packing: BlockPacking): Uint8Array {
  const { padCode, codeOffset = 0 } = packing;
  return packPadded(codes, packing, { storedColumns: paddedColumns(packing), padCode, codeOffset });
}
