import { CompressionError, type LinearSite, toErrorRecord } from '@quern/core';

/** The same error with the site in front: a solver does not know where its weight stands. */
export function nameSite(error: unknown, site: LinearSite): unknown {
  const { code, message, context } = toErrorRecord(error);
  if (code === 'INTERRUPTED') return error;
  return new CompressionError(code, `${site.name}: ${message}`, { ...context, site: site.name }, { cause: error });
}
