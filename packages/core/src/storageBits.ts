import type { CodebookWeight, CompressedWeight, QuantizedWeight } from './compressedWeight.ts';
import { containerLayout } from './containerLayout.ts';
import { containerOf } from './containerOf.ts';

/** What decides the size of a quantised weight, without the weight. */
export type QuantizedShape = Pick<
  QuantizedWeight,
  'outFeatures' | 'inFeatures' | 'bits' | 'groupSize' | 'scaleType'
> & {
  readonly hasZeroPoints: boolean;
};

/** An input scale that is not folded into anything is a float16 vector. */
const INPUT_SCALE_BITS = 16;

/** All bits that the container of this weight takes in a file: codes with padding, scales, zero points. */
export function storageBits(compressed: CompressedWeight): number {
  switch (compressed.kind) {
    case 'quantized':
      return (
        quantizedStorageBits({ ...compressed, hasZeroPoints: compressed.zeroPoints !== null }) +
        INPUT_SCALE_BITS * (compressed.inputScale?.length ?? 0)
      );
    case 'codebook':
      return codebookStorageBits(compressed);
    case 'dense':
      return 16 * compressed.outFeatures * compressed.inFeatures;
    case 'sparse':
    case 'sparseGrid':
      return storageBits(containerOf(compressed));
    case 'lowRank': {
      const { left, right, sharedLeft, sharedRight } = compressed;
      return storageBits(left) / (sharedLeft?.siteCount ?? 1) + storageBits(right) / (sharedRight?.siteCount ?? 1);
    }
    case 'corrected':
      return storageBits(compressed.base) + storageBits(compressed.correction);
  }
}

/**
 * The same with masks: of a sparse factor a bit for each place, and what stands where it is set, at its own width. What packed forms take; all
 * other weights have no masks.
 */
export function maskedStorageBits(compressed: CompressedWeight): number {
  switch (compressed.kind) {
    case 'sparse':
      return sparseMaskBits(compressed.mask.length) + 16 * compressed.values.length;
    case 'sparseGrid': {
      const { mask, codes, bits, scales } = compressed;
      return sparseMaskBits(mask.length) + sparseCodeBits(codes.length, bits) + 16 * scales.length;
    }
    case 'lowRank': {
      const { left, right, sharedLeft, sharedRight } = compressed;
      const ownLeft = maskedStorageBits(left) / (sharedLeft?.siteCount ?? 1);
      return ownLeft + maskedStorageBits(right) / (sharedRight?.siteCount ?? 1);
    }
    case 'corrected':
      return storageBits(compressed.base) + maskedStorageBits(compressed.correction);
    default:
      return storageBits(compressed);
  }
}

/** Bits that the mask of so many places takes: whole pairs of bytes, so that every part of a sparse factor is a multiple of 16. */
export function sparseMaskBits(placeCount: number): number {
  return 16 * Math.ceil(placeCount / 16);
}

/** Bits that so many codes of a sparse factor take, one after the other, in whole pairs of bytes. */
export function sparseCodeBits(codeCount: number, bits: number): number {
  return 16 * Math.ceil((codeCount * bits) / 16);
}

/** {@link storageBits} of a quantised weight that does not exist yet. */
export function quantizedStorageBits(shape: QuantizedShape): number {
  const { containerBits, kernelBlock, blockCount, storedScales } = containerLayout(shape);
  const codeBits = blockCount * kernelBlock * containerBits;
  const scaleBits = storedScales * (shape.scaleType === 'float16' ? 16 : 32);
  const zeroPointBits = shape.hasZeroPoints ? 8 * Math.ceil((storedScales * containerBits) / 8) : 0;
  return shape.outFeatures * (codeBits + scaleBits + zeroPointBits);
}

/** What decides the size of a codebook weight, without the weight. */
export type CodebookShape = Pick<
  CodebookWeight,
  'outFeatures' | 'inFeatures' | 'groupSize' | 'codebookCount' | 'codebookBits'
>;

/**
 * {@link storageBits} of a codebook weight that does not exist yet: codes at their own width, each plane of them filled up to whole
 * bytes; code words and scales in float16.
 */
export function codebookStorageBits(shape: CodebookShape): number {
  const { outFeatures, inFeatures, groupSize, codebookCount, codebookBits } = shape;
  const codeCount = outFeatures * Math.ceil(inFeatures / groupSize) * codebookCount;
  const codeBytes = codePlanes(codebookBits).reduce((sum, width) => sum + Math.ceil((codeCount * width) / 8), 0);
  return 8 * codeBytes + 16 * codebookCount * 2 ** codebookBits * groupSize + 16 * outFeatures;
}

/** Widths of the planes that codes of so many bits are stored in, the highest bits first: 8, 4, 2 or 1 each. */
export function codePlanes(codebookBits: number): number[] {
  const rest = [8, 4, 2, 1].filter(width => ((codebookBits % 8) & width) !== 0);
  return [...new Array<number>(Math.floor(codebookBits / 8)).fill(8), ...rest];
}
