import { realpath } from 'node:fs/promises';
import { CompressionError } from '@quern/core';

/** The folder of the source is never the folder of the result. Errors: USAGE, OUTPUT_EXISTS. */
export async function checkOut({ model, out }: { readonly model: string; readonly out: string }): Promise<void> {
  if (out === '') throw new CompressionError('USAGE', '--out is empty: name a folder for the result.');
  const [source, target] = await Promise.all([model, out].map(path => realpath(path).catch(() => null)));
  if (source === null || source !== target) return;
  throw new CompressionError('OUTPUT_EXISTS', `--out ${out} is the model itself: name another folder.`, { out });
}
