import { loadTokenizer, type Tokenizer } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import type { OpenedModel } from './openModel.ts';

/** The tokenizer of a model that reads text. Errors: TOKENIZER_NOT_FOUND; those of `loadTokenizer`. */
export async function textTokenizer(opened: OpenedModel): Promise<Tokenizer> {
  return loadTokenizer(tokenizerFolderOf(opened));
}

/** Where that tokenizer lies. Errors: TOKENIZER_NOT_FOUND. */
export function tokenizerFolderOf({ path, tokenizerFolder }: OpenedModel): string {
  if (tokenizerFolder) return tokenizerFolder;
  throw new CompressionError(
    'TOKENIZER_NOT_FOUND',
    `${path} comes without a tokenizer: pass --tokenizer <folder with tokenizer.json and config.json>. Without one, --method rtn with --evaluate none reads no text.`,
    { path },
  );
}
