import { CompressionError } from '@quern/core';

/** The error for feeds that cannot be used: which file, what is wrong with it, what to do. */
export function invalidFeeds(
  where: string,
  problem: string,
  context: Readonly<Record<string, unknown>> = {},
): CompressionError {
  return new CompressionError('INVALID_FEEDS', `${where}: ${problem}`, { where, ...context });
}
