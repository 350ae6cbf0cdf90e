import type { CodeLayout } from '../codeLayout.ts';

/** What a decoder must know of codes with a mask, besides their layout. */
export interface SparseFormat {
  /** The code where the mask is 0. */
  readonly zero: number;
  /** Elsewhere code = lowest + step index. */
  readonly lowest: number;
  readonly step: number;
  /** Bits of an index, 1 to 8. */
  readonly width: number;
  /** Ones of the mask. */
  readonly count: number;
}

/** Indices as the bytes that planes are made of. */
export function valuesLayout(count: number): CodeLayout {
  return { rows: 1, columns: count, blockSize: 1, bits: 8, padCode: 0 };
}
