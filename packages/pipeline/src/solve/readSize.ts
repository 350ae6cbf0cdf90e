import { CompressionError } from '@quern/core';
import { create, unitDependencies } from 'mathjs';

const { unit } = create({ unitDependencies });

/**
 * Bytes of a size: a number of bytes, or a number with a unit, such as 3.2MB (10^6 bytes) or 3 MiB (2^20).
 *
 * Errors: INVALID_OPTION for what is no size above 0.
 */
export function readSize(size: number | string): number {
  const bytes = typeof size === 'number' ? size : toBytes(size);
  if (Number.isFinite(bytes) && bytes >= 1) return Math.floor(bytes);
  throw new CompressionError(
    'INVALID_OPTION',
    `targetSize (${size}): must be a size of at least 1 byte, such as 3200000, 3.2MB or 3 MiB.`,
    { targetSize: size },
  );
}

function toBytes(text: string): number {
  const plain = Number(text);
  if (text.trim() !== '' && Number.isFinite(plain)) return plain;
  try {
    return unit!(text).toNumber('B');
  } catch {
    return Number.NaN;
  }
}
