import { CompressionError } from '@quern/core';

/** The error of a weight whose scales pass 65504 where float16 is forced. */
export function scalesTooLarge(): CompressionError {
  return new CompressionError(
    'SOLVER_FAILED',
    'A scale is above 65504, the largest float16: use --dtype fp32, or exclude this site.',
    { limit: 65504 },
  );
}
