import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { CompressionError } from '@quern/core';
import { cutLongPieces } from './cutLongPieces.ts';
import { joinableCharacters, type TokenizerModel } from './joinableCharacters.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What is used of the library's class, whose own declarations do not resolve under this compiler's module rules. */
interface LibraryTokenizer {
  pre_tokenizer: ((text: string, options?: object) => string[]) | null;
  encode(text: string, options: { add_special_tokens: false }): { ids: (number | undefined)[] };
  decode(ids: number[], options: { clean_up_tokenization_spaces: false }): string;
  id_to_token(id: number): string | undefined;
  get_vocab(withAddedTokens: true): Map<string, number>;
  get_added_tokens_decoder(): Map<number, { special: boolean }>;
}

/** Older files leave parts out; the library wants every key. */
const EMPTY_PARTS = { normalizer: null, pre_tokenizer: null, decoder: null, added_tokens: [] };

/**
 * Loads the tokenizer of a Hugging Face folder: `tokenizer.json` and, where there is one, `tokenizer_config.json`.
 *
 * Truncation, padding and post-processing (which adds special tokens) are not applied. Long texts are cut where the ids
 * cannot change, see {@link cutLongPieces}.
 *
 * @throws `TOKENIZER_NOT_FOUND` without a tokenizer.json, `INVALID_TOKENIZER` when a file cannot be used.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const file = await readJson(folder, 'tokenizer.json');
  if (file === null) {
    throw new CompressionError(
      'TOKENIZER_NOT_FOUND',
      `No tokenizer.json in ${folder}. Texts cannot be turned into tokens without it; pass --tokenizer <folder> with the folder that has one.`,
      { folder },
    );
  }
  if (!('model' in file) || typeof file.model !== 'object' || file.model === null) {
    throw invalidTokenizer(folder, 'tokenizer.json', new Error('it has no "model"'));
  }
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  try {
    return wrap(createLibraryTokenizer(file, config), folder, unknownTokenOf(file, config));
  } catch (error) {
    if (error instanceof CompressionError) throw error;
    throw invalidTokenizer(folder, 'tokenizer.json', error);
  }
}

function createLibraryTokenizer(file: object, config: object): LibraryTokenizer {
  const created: unknown = new HuggingFaceTokenizer({ ...EMPTY_PARTS, ...file, post_processor: null }, config);
  const library = created as LibraryTokenizer;
  const joinable = joinableCharacters((file as { model: TokenizerModel }).model);
  if (joinable) {
    const splitWords = library.pre_tokenizer;
    library.pre_tokenizer = (text, options) => cutLongPieces(splitWords ? splitWords(text, options) : [text], joinable);
  }
  return library;
}

/** How unknown text is written; undefined for a tokenizer that knows every text. */
function unknownTokenOf(file: object, config: object): string | undefined {
  const { model } = file as { model: { unk_token?: unknown } };
  const { unk_token: configured } = config as { unk_token?: unknown };
  return [model.unk_token, configured].find(token => typeof token === 'string');
}

function wrap(library: LibraryTokenizer, folder: string, unknownToken: string | undefined): Tokenizer {
  const specialIds = new Set<number>();
  for (const [id, token] of library.get_added_tokens_decoder()) if (token.special) specialIds.add(id);
  const unknownId = library.get_vocab(true).get(unknownToken ?? '');
  // Decoders drop a space at the very beginning: a letter before the run keeps it.
  const anchor = [...'abcdefghijklmnopqrstuvwxyz']
    .map(letter => library.get_vocab(true).get(letter))
    .find(id => id !== undefined);
  const decode = (ids: number[]): string =>
    ids.length === 0 ? '' : library.decode(ids, { clean_up_tokenization_spaces: false });
  const hasToken = (id: number): boolean => library.id_to_token(id) !== undefined;
  const decodeInside = (ids: Int32Array): string => {
    const kept = Array.from(ids).filter(id => (id === unknownId || !specialIds.has(id)) && hasToken(id));
    return anchor === undefined ? decode(kept) : decode([anchor, ...kept]).slice(1);
  };
  let vocabularySize = 0;
  for (const id of library.get_vocab(true).values()) vocabularySize = Math.max(vocabularySize, id + 1);
  return {
    vocabularySize,
    encode(text) {
      const { ids } = library.encode(text, { add_special_tokens: false });
      const unknown = ids.indexOf(undefined);
      if (unknown >= 0) {
        throw new CompressionError(
          'INVALID_TOKENIZER',
          `The tokenizer in ${folder} gives no id for token ${unknown} of a text and names no unknown token. Use another tokenizer.`,
          { folder, position: unknown },
        );
      }
      return Int32Array.from(ids as number[]);
    },
    decode: ids => decode(Array.from(ids).filter(id => !specialIds.has(id) && hasToken(id))),
    decodeInside,
    byteLength: ids => Buffer.byteLength(decodeInside(ids), 'utf8'),
  };
}

async function readJson(folder: string, name: string): Promise<object | null> {
  let text: string;
  try {
    text = await readFile(join(folder, name), 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw invalidTokenizer(folder, name, error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    throw invalidTokenizer(folder, name, error);
  }
  throw invalidTokenizer(folder, name, new Error('it holds no JSON object'));
}

function invalidTokenizer(folder: string, name: string, cause: unknown): CompressionError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CompressionError(
    'INVALID_TOKENIZER',
    `${name} in ${folder} cannot be used: ${reason}. Fetch the file again, or pass --tokenizer <folder> with another one.`,
    { folder, file: name, reason },
    { cause },
  );
}
