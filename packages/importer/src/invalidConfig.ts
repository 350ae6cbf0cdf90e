import { CompressionError } from '@quern/core';

/** The error for a configuration that contradicts itself or is not what it should be. `what` ends without a full stop. */
export function invalidConfig(what: string, context: Readonly<Record<string, unknown>>): CompressionError {
  return new CompressionError('INVALID_CONFIG', `${what}. Correct the file.`, context);
}
