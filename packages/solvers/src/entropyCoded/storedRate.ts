import { estimateStreamBits } from '@quern/coder';
import { rowScaleBits } from './roundRowScales.ts';

/** Bits of a site's entries in the index of a packed file: codes and scales, about. */
const INDEX_BITS = 8 * 34;

/** Codes of some rows of a weight. */
export interface RatedCodes {
  /** `[rows, inFeatures]`, 0 .. 2^bits - 1. */
  readonly codes: Uint8Array;
  readonly bits: 4 | 8;
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/**
 * Stored bits per weight of a site whose codes these are, or a sample of whose rows: entropy-coded codes, row scales, the
 * input scale where it is stored, index entries.
 *
 * `target`: the bits asked for, which decide the digits of the row scales; `inputScaleBits` as in the options.
 * Cost: that of `estimateStreamBits`.
 */
export function storedRate(
  { codes, bits, outFeatures, inFeatures }: RatedCodes,
  { bits: target, inputScaleBits }: { readonly bits: number; readonly inputScaleBits: number },
): number {
  const rows = codes.length / inFeatures;
  const coded = estimateStreamBits({ rows, columns: inFeatures, bits, codes }) / codes.length;
  const beside = INDEX_BITS + inputScaleBits * inFeatures;
  return coded + rowScaleBits(target) / inFeatures + beside / (outFeatures * inFeatures);
}
