import { quantizedStorageBits } from '@quern/core';
import { resolveGroupSize } from '../quantization/resolveGroupSize.ts';
import type { SiteShape } from '../solver.ts';

/** How the two factors of a weight are stored. */
export interface FactorFormat {
  /** 2..8, or 16 for float16. */
  readonly bits: number;
  readonly groupSize: number | 'channel';
}

/**
 * Bits of left `[outFeatures, rank]` and right `[rank, inFeatures]` together. Where `siteCount` sites have the right factor
 * in common, the share of one. Errors: INVALID_OPTION for a group size that kernels cannot read.
 */
export function factorStorageBits(shape: SiteShape, rank: number, format: FactorFormat): number {
  const { outFeatures, inFeatures, siteCount = 1 } = shape;
  return matrixBits(outFeatures, rank, format) + matrixBits(rank, inFeatures, format) / siteCount;
}

function matrixBits(rows: number, columns: number, { bits, groupSize }: FactorFormat): number {
  if (bits === 16) return 16 * rows * columns;
  const inputs = resolveGroupSize(groupSize, columns);
  const grid = { bits, groupSize: inputs, scaleType: 'float16', hasZeroPoints: false } as const;
  return quantizedStorageBits({ ...grid, outFeatures: rows, inFeatures: columns });
}
