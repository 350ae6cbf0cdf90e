import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { checkInterrupted } from '../interruption.ts';

/** sha256 of a file, read as a stream. Errors: INTERRUPTED. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    checkInterrupted(signal);
    hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}
