/** Widths that ONNX Runtime's n-bit kernels read. */
export type ContainerBits = 2 | 4 | 8;

/** Codes row by row, each row padded to whole bytes: the layout of packed zero points. */
export interface RowLayout {
  readonly rows: number;
  readonly columns: number;
  readonly bits: ContainerBits;
}

/** Codes row by row, each row padded to whole blocks: the layout of MatMulNBits' weight. */
export interface BlockLayout extends RowLayout {
  /** Columns in a block; `blockSize * bits` is a multiple of 8. */
  readonly blockSize: number;
}

/** A block layout together with what stands in its padding: everything a codec must know of a packed weight. */
export interface CodeLayout extends BlockLayout {
  /** Code in the padding of a row's last block, one for all rows or one a row. */
  readonly padCode: number | Uint8Array;
}

/** Bytes of a packed row that holds `columns` codes. */
export function bytesPerRow(columns: number, bits: ContainerBits): number {
  return Math.ceil((columns * bits) / 8);
}

/** Columns of a row after padding to whole blocks. */
export function paddedColumns(layout: Pick<BlockLayout, 'columns' | 'blockSize' | 'bits'>): number {
  const { columns, blockSize, bits } = layout;
  if (!Number.isInteger(blockSize) || blockSize < 1 || (blockSize * bits) % 8 !== 0) {
    throw new RangeError(`a block of ${blockSize} codes of ${bits} bits does not fill whole bytes`);
  }
  return Math.ceil(columns / blockSize) * blockSize;
}
