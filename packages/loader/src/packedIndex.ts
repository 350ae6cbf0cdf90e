import type { CodeLayout, CodeTables, SparseFormat } from '@quern/coder';

/**
 * A packed file holds the external data of one graph, tensor by tensor:
 *
 *     0   "QUERN", 0x1a, version (u16)
 *     8   length of the index (u32), checksum of the index (u32)
 *     16  the index
 *     ..  payloads, one after the other in the order of the index
 *
 * Numbers of fixed size are little-endian, those of the index are LEB128 unless said otherwise. The index is: number of code
 * ladders, each as shape, first scale, count; number of data files, each as length of its name, name in UTF-8, bytes, number of
 * tensors, and the tensors in order:
 *
 *     gap           bytes from the end of the tensor before; the gaps of a data file hold zeros
 *     encoding      one byte: 0 raw, 1 planes, 2 rans, 3 halves, 4 sparse, 5 sparse halves
 *     raw           length
 *     planes, rans  rows, columns, block size, bits of the container, code of the padding; planes: width; rans: bytes of the payload
 *     halves        rows, columns, centre, width, bytes of the payload
 *     sparse        as planes up to the code of the padding; most frequent code, lowest other one, step, width, number of others
 *     sparse halves number of halves; of those that are not 0: rows, columns, centre, width; bytes of the payload
 *     checksum      of the decoded bytes (u32)
 *
 * Places in the file follow from the lengths, so that no two tensors can claim the same bytes.
 */
export const MAGIC: Uint8Array = Uint8Array.of(0x51, 0x55, 0x45, 0x52, 0x4e, 0x1a);
export const VERSION = 1;
/** Bytes before the index. */
export const HEADER_BYTES = 16;

/** How the bytes of a tensor are stored. All are exact. */
export type PackedEncoding =
  | { readonly kind: 'raw' }
  /** Codes in `width` bits each, as bit planes. */
  | { readonly kind: 'planes'; readonly layout: CodeLayout; readonly width: number }
  /** Codes through an entropy coder. */
  | { readonly kind: 'rans'; readonly layout: CodeLayout }
  /**
   * 16-bit floats, each turned left by one bit so that the sign comes last: first the upper `width` bits of all lower bytes, whose
   * other bits are zero, as bit planes; then the upper bytes (exponent and highest digits), less `centre`, through the entropy
   * coder as 8-bit codes `[rows, columns]` around 128.
   */
  | {
      readonly kind: 'halves';
      readonly rows: number;
      readonly columns: number;
      readonly centre: number;
      readonly width: number;
    }
  /** A bit for each code that is not the most frequent one, row by row, then bit planes of those. */
  | { readonly kind: 'sparse'; readonly layout: CodeLayout; readonly format: SparseFormat }
  /** A bit for each 16-bit float that is not 0, then those as `halves`. */
  | {
      readonly kind: 'sparseHalves';
      readonly count: number;
      readonly rows: number;
      readonly columns: number;
      readonly centre: number;
      readonly width: number;
    };

/** One tensor of a packed file. */
export interface PackedTensor {
  /** First byte in the data file, and how many. */
  readonly offset: number;
  readonly length: number;
  readonly encoding: PackedEncoding;
  /** First byte in the packed file, and how many. */
  readonly payloadOffset: number;
  readonly payloadLength: number;
  /** Of the decoded bytes. */
  readonly checksum: number;
  /** Bytes that this entry takes in the index. */
  readonly entryBytes: number;
}

/** A file of external data that a packed file stands for. */
export interface PackedDataFile {
  /** Name beside the graph, without folders. */
  readonly path: string;
  readonly bytes: number;
  readonly tensors: readonly PackedTensor[];
}

/** The table of contents of a packed file, checked. */
export interface PackedIndex {
  readonly tables: CodeTables;
  readonly dataFiles: readonly PackedDataFile[];
  /** Bytes of the whole packed file. */
  readonly bytes: number;
}
