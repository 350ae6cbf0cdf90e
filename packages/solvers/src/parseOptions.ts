import { CompressionError } from '@quern/core';
import type { z } from 'zod';
import { describeProblems } from './describeProblems.ts';

/** Checks a solver's options and fills in the defaults. Errors: INVALID_OPTION naming key, value and limit; unknown keys too. */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  solver: string,
): z.output<Schema> {
  const result = schema.safeParse(options ?? {});
  if (result.success) return result.data;
  const problems = describeProblems(schema, result.error, options);
  throw new CompressionError('INVALID_OPTION', `Invalid options of ${solver}: ${problems.join('; ')}.`, {
    solver,
    problems,
  });
}
