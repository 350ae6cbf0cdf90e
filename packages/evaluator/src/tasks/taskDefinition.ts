import { CompressionError } from '@quern/core';
import { z } from 'zod';

const schema = z.strictObject({
  id: z.string().regex(/^\w+$/, 'letters, digits and underscores'),
  title: z.string().min(1),
  /** The form of the lines, see `parseTask`. */
  reader: z.enum(['choices', 'contexts', 'lastWord']),
  /** Name of the data file, before .jsonl or .jsonl.gz. */
  file: z.string().regex(/^[\w.-]+$/, 'a file name'),
  /** Follows every context. */
  suffix: z.string().default(''),
  /** Stands between context and continuation. */
  delimiter: z.string().default(' '),
});

/** What turns a file of items into log-likelihoods to compare: the reader and the texts around the items. */
export type TaskDefinition = z.infer<typeof schema>;

/** The definition in a JSON text. `path` is named in errors. Errors: INVALID_CONFIG with the field. */
export function parseTaskDefinition(text: string, path: string): TaskDefinition {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, (error as Error).message);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(path, issue!.path.length > 0 ? `${issue!.path.join('.')}: ${issue!.message}` : issue!.message);
}

function invalid(path: string, reason: string): CompressionError {
  return new CompressionError(
    'INVALID_CONFIG',
    `${path} is no task: ${reason}. A task is {"id", "title", "reader": "choices" | "contexts" | "lastWord", "file", "suffix", "delimiter"}.`,
    { path },
  );
}
