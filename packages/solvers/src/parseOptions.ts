import { CompressionError } from '@quern/core';
import type { z } from 'zod';

/** Checks a solver's options and fills in the defaults. Errors: INVALID_OPTION naming key, value and limit; unknown keys too. */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  solver: string,
): z.output<Schema> {
  const result = schema.safeParse(options ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues.map(issue => {
    const key = issue.path.join('.') || 'options';
    const value = (options as Record<string, unknown> | undefined)?.[String(issue.path[0])];
    return `${key}${value === undefined ? '' : ` (${JSON.stringify(value)})`}: ${issue.message}`;
  });
  throw new CompressionError('INVALID_OPTION', `Invalid options of ${solver}: ${problems.join('; ')}.`, {
    solver,
    problems,
  });
}
