import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import type { OpenedModel } from './openModel.ts';

/**
 * Tokens that end a text: of config.json and, where there is one, of generation_config.json in the tokenizer's folder, which may
 * name more. Errors: INVALID_CONFIG.
 */
export async function stopIdsOf(opened: OpenedModel, folder: string): Promise<ReadonlySet<number>> {
  const ids = new Set(opened.text?.eosTokenIds ?? []);
  const file = join(folder, 'generation_config.json');
  const content = await readFile(file, 'utf8').catch(() => null);
  if (content === null) return ids;
  try {
    const config = JSON.parse(content) as { eos_token_id?: unknown } | null;
    for (const id of [config?.eos_token_id].flat()) if (typeof id === 'number') ids.add(id);
  } catch (error) {
    const reason = (error as Error).message;
    throw new CompressionError('INVALID_CONFIG', `${file} is not valid JSON: ${reason}. Fetch it again.`, { file });
  }
  return ids;
}
