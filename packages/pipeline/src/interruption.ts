import { CompressionError } from '@quern/core';

/** Throws INTERRUPTED once the user has asked to stop. */
export function checkInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted.');
}
