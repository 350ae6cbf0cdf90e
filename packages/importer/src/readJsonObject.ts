import { readFile } from 'node:fs/promises';
import { CompressionError } from '@quern/core';
import { invalidConfig } from './invalidConfig.ts';

/**
 * Reads a configuration file.
 *
 * @returns the object, or null where no such file exists
 * @throws CompressionError `INVALID_CONFIG` when it is not a JSON object, `MODEL_NOT_FOUND` when it cannot be read
 */
export async function readJsonObject(path: string): Promise<Readonly<Record<string, unknown>> | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CompressionError('MODEL_NOT_FOUND', `${path} cannot be read (${reason}). Check its permissions.`, {
      path,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw invalidConfig(`${path} is not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { path });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalidConfig(`${path} is not a JSON object`, { path });
  }
  return parsed as Readonly<Record<string, unknown>>;
}
