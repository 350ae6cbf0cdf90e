import { quantizedStorageBits } from '@quern/core';
import type { SiteShape } from '../solver.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';

/** What decides the size of a weight on a grid. */
export interface GridFormat {
  readonly bits: number;
  readonly groupSize: number | 'channel';
  readonly symmetric: boolean;
}

/**
 * Bits that a weight of this shape takes on a grid with float16 scales. Errors: INVALID_OPTION for a group size that kernels
 * cannot read.
 */
export function gridStorageBits({ outFeatures, inFeatures }: SiteShape, format: GridFormat): number {
  const groupSize = resolveGroupSize(format.groupSize, inFeatures);
  const grid = { bits: format.bits, groupSize, scaleType: 'float16', hasZeroPoints: !format.symmetric } as const;
  return quantizedStorageBits({ ...grid, outFeatures, inFeatures });
}
