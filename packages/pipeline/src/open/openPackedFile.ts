import { CompressionError } from '@quern/core';
import { openPacked, PackedFileError, type PackedModel } from '@quern/loader';

/** Opens a packed file. Errors: INVALID_EXTERNAL_DATA naming file and problem. */
export async function openPackedFile(path: string): Promise<PackedModel> {
  return openPacked(path).catch(error => {
    throw asPackedFailure(error, path);
  });
}

/** What the loader refuses, as this package reports it; anything else as it is. */
export function asPackedFailure(error: unknown, path: string): unknown {
  if (!(error instanceof PackedFileError)) return error;
  const { code, message } = error;
  return new CompressionError('INVALID_EXTERNAL_DATA', `${path}: ${message}`, { path, code }, { cause: error });
}
