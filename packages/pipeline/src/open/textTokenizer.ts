import { loadTokenizer, type Tokenizer } from '@quern/calibration';
import { CompressionError } from '@quern/core';
import type { OpenedModel } from './openModel.ts';

/** The tokenizer of a model that reads text. Errors: TOKENIZER_NOT_FOUND; those of `loadTokenizer`. */
export async function textTokenizer(opened: OpenedModel): Promise<Tokenizer> {
  if (opened.tokenizerFolder) return loadTokenizer(opened.tokenizerFolder);
  throw new CompressionError(
    'TOKENIZER_NOT_FOUND',
    `${opened.path} comes without a tokenizer: pass --tokenizer <folder with tokenizer.json and config.json>. Without one, --method rtn with --evaluate none reads no text.`,
    { path: opened.path },
  );
}
