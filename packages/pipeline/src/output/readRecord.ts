import { readFile } from 'node:fs/promises';
import { CompressionError } from '@quern/core';
import type { z } from 'zod';

/**
 * A JSON file that Quern wrote, checked against its schema.
 *
 * Errors: INVALID_CONFIG naming the file, the field that is wrong or missing, and `advice`, what to name instead.
 */
export async function readRecord<Record>(path: string, schema: z.ZodType<Record>, advice: string): Promise<Record> {
  const invalid = (reason: string): CompressionError =>
    new CompressionError('INVALID_CONFIG', `${path}: ${reason}. ${advice}`, { path });
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    Promise.reject(invalid(error.code === 'ENOENT' ? 'there is no such file' : error.message)),
  );
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid([issue!.path.join('.'), issue!.message].filter(Boolean).join(': '));
}
