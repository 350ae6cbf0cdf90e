import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenedModel } from './openModel.ts';
import { tokenizerFolderOf } from './textTokenizer.ts';

/** What `loadTokenizer` reads. */
const FILES = ['tokenizer.json', 'tokenizer_config.json'];

/** Whether two models split every text alike for certain: the same bytes make their tokenizers. Errors: TOKENIZER_NOT_FOUND. */
export async function sameTokenizers(one: OpenedModel, other: OpenedModel): Promise<boolean> {
  const [folder, otherFolder] = [tokenizerFolderOf(one), tokenizerFolderOf(other)];
  if ((one.text?.bosTokenId ?? null) !== (other.text?.bosTokenId ?? null)) return false;
  if ((one.text?.bosEverywhere ?? false) !== (other.text?.bosEverywhere ?? false)) return false;
  if (folder === otherFolder) return true;
  for (const file of FILES) {
    const [bytes, otherBytes] = await Promise.all(
      [folder, otherFolder].map(path => readFile(join(path, file)).catch(() => Buffer.alloc(0))),
    );
    if (!bytes!.equals(otherBytes!)) return false;
  }
  return true;
}
