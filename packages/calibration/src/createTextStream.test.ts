import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTextStream } from './createTextStream.ts';
import { loadTokenizer } from './loadTokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Words of a sentencepiece-like vocabulary, then the 256 bytes, as Llama's tokenizer has them. */
const WORDS = ['<unk>', '<s>', '\u2581', '\u2581on', 'ce', '\u2581up', '!'];
const byteId = (byte: number): number => WORDS.length + byte;

let folder = '';
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-stream-'));
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const vocab = Object.fromEntries([...WORDS, ...bytes].map((word, id) => [word, id]));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const file = {
    version: '1.0',
    added_tokens: [
      { id: 0, content: '<unk>', ...special },
      { id: 1, content: '<s>', ...special },
    ],
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', vocab, merges: [], byte_fallback: true, unk_token: '<unk>', fuse_unk: true },
  };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(file));
  tokenizer = await loadTokenizer(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function stream(prompt: readonly number[], ids: readonly number[]): string[] {
  const pieces = createTextStream(tokenizer, Int32Array.from(prompt));
  return [...ids.map(id => pieces.push(id)), pieces.end()];
}

describe('createTextStream', () => {
  it('keeps the space before a word that follows the prompt', () => {
    expect(stream([1, 3, 4], [5, 6, 3])).toEqual([' up', '!', ' on', '']);
  });

  it('drops the space at the beginning of a text, as the decoder does', () => {
    expect(stream([1], [3, 4, 5])).toEqual(['on', 'ce', ' up', '']);
  });

  it('waits for the rest of a character of several tokens', () => {
    const bytes = [...Buffer.from('\u{1f422}\u00e9')].map(byteId);
    expect(stream([1, 3], [...bytes, 6])).toEqual(['', '', '', '\u{1f422}', '', '\u00e9', '!', '']);
  });

  it('gives what is left of a broken character at the end', () => {
    const [first] = Buffer.from('\u00e9');
    expect(stream([1, 3], [6, byteId(first!)])).toEqual(['!', '', '\ufffd']);
  });

  it('gives single spaces as they come', () => {
    expect(stream([1, 3], [2, 2, 6])).toEqual([' ', ' ', '!', '']);
  });

  it('leaves special tokens out', () => {
    expect(stream([1, 3], [1, 5])).toEqual(['', ' up', '']);
  });
});
