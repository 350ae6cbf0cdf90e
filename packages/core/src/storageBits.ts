import type { CompressedWeight, QuantizedWeight } from './compressedWeight.ts';
import { containerLayout } from './containerLayout.ts';

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
    case 'dense':
      return 16 * compressed.outFeatures * compressed.inFeatures;
    case 'sparse':
      return sparseMaskBits(compressed.mask.length) + 16 * compressed.values.length;
    case 'lowRank': {
      const { left, right, sharedRight } = compressed;
      return storageBits(left) + storageBits(right) / (sharedRight?.siteCount ?? 1);
    }
    case 'corrected':
      return storageBits(compressed.base) + storageBits(compressed.correction);
  }
}

/** Bits that the mask of so many places takes: whole pairs of bytes, so that every part of a sparse factor is a multiple of 16. */
export function sparseMaskBits(placeCount: number): number {
  return 16 * Math.ceil(placeCount / 16);
}

/** {@link storageBits} of a quantised weight that does not exist yet. */
export function quantizedStorageBits(shape: QuantizedShape): number {
  const { containerBits, kernelBlock, blockCount, storedScales } = containerLayout(shape);
  const codeBits = blockCount * kernelBlock * containerBits;
  const scaleBits = storedScales * (shape.scaleType === 'float16' ? 16 : 32);
  const zeroPointBits = shape.hasZeroPoints ? 8 * Math.ceil((storedScales * containerBits) / 8) : 0;
  return shape.outFeatures * (codeBits + scaleBits + zeroPointBits);
}
