import { CompressionError } from '@quern/core';
import { evaluateExpression } from './evaluateExpression.ts';

/** Bytes however they are written: kB, KB, kb, Mb, MiB, bytes. */
const BYTES = /(?<![a-z])([kmgt]?)(i?)b(?:ytes?)?(?![a-z])/gi;

/**
 * Bytes of a size: a number of bytes, or an expression with units, such as 3.2MB (10^6 bytes), 800KB, 3 MiB (2^20) or 4MB - 300kB.
 * Files are not counted in bits: 3Mb are 3MB.
 *
 * Errors: INVALID_OPTION for what is no size of at least one byte.
 */
export function readSize(size: number | string): number {
  const bytes = evaluateExpression(typeof size === 'string' ? size.replaceAll(BYTES, inBytes) : size, 'B');
  if (Number.isFinite(bytes) && bytes >= 1) return Math.floor(bytes);
  throw new CompressionError(
    'INVALID_OPTION',
    `targetSize (${size}): must be a size of at least 1 byte, such as 3200000, 3.2MB or 3 MiB.`,
    { targetSize: size },
  );
}

/** The unit as mathjs writes it: kB, MB, KiB, MiB. */
function inBytes(_: string, prefix: string, binary: string): string {
  return `${prefix.toLowerCase() === 'k' && !binary ? 'k' : prefix.toUpperCase()}${binary.toLowerCase()}B`;
}
