import { setImmediate } from 'node:timers/promises';
import { CompressionError } from '@quern/core';

/** Throws INTERRUPTED once the user has asked to stop. */
export function checkInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted.');
}

/** The same after a turn of the event loop: between computations that block it nobody would hear a signal. */
export async function listenForInterrupt(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  checkInterrupted(signal);
}
