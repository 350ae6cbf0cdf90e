import { CompressionError } from '@quern/core';

const GROUP_SIZES: readonly number[] = [16, 32, 64, 128, 256];

/**
 * The number of inputs that share one scale: the group size asked for, or all inputs for 'channel' and for groups as wide.
 *
 * Errors: INVALID_OPTION for a size that the kernels cannot read.
 */
export function resolveGroupSize(groupSize: number | 'channel', inFeatures: number): number {
  if (groupSize === 'channel' || groupSize === inFeatures) return inFeatures;
  if (GROUP_SIZES.includes(groupSize)) return Math.min(groupSize, inFeatures);
  throw new CompressionError(
    'INVALID_OPTION',
    `groupSize (${groupSize}): must be ${GROUP_SIZES.join(', ')}, 'channel', or the number of inputs (${inFeatures}).`,
    { groupSize, inFeatures },
  );
}
