import { CompressionError } from '@quern/core';

/** The error of a ratio that not even one component a site can meet. */
export function ratioTooHigh(ratio: number, leastBits: number, denseBits: number): CompressionError {
  const highest = Math.max(0, Math.floor(1000 * (1 - leastBits / denseBits)) / 1000);
  return new CompressionError(
    'INVALID_OPTION',
    `ratio (${ratio}): with one component for each site at most ${highest} can be removed.`,
    { ratio, highest },
  );
}
