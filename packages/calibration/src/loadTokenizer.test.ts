import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTextSet } from './loadTextSet.ts';
import { loadTokenizer } from './loadTokenizer.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CALIB_DATA = join(ROOT, 'calib-data');
const SHARED = join(ROOT, '../shared/data');

/** Llama's older form: no pre-tokeniser, words marked by ▁, bytes for what is not in the vocabulary. */
const SMALL = {
  added_tokens: [
    { id: 0, content: '<unk>', special: true },
    { id: 1, content: '<s>', special: true },
    { id: 12, content: '<tool>', special: false },
  ],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    byte_fallback: true,
    vocab: { '<unk>': 0, '<s>': 1, '▁': 2, a: 3, b: 4, '.': 5, ab: 6, '▁ab': 7, ba: 8, '<0xC3>': 9, '<0xA9>': 10 },
    merges: ['a b', '▁ ab', 'b a'],
  },
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-tokenizer-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(file: unknown, config: unknown = {}) {
  await writeFile(join(folder, 'tokenizer.json'), typeof file === 'string' ? file : JSON.stringify(file));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  return loadTokenizer(folder);
}

describe('loadTokenizer', () => {
  it('encodes by hand-worked merges, without the BOS that post-processing would add', async () => {
    const tokenizer = await load(SMALL, { add_bos_token: true });
    // ▁abab.: "a b" joins both, "▁ ab" the first.
    expect([...tokenizer.encode('abab.')]).toEqual([7, 6, 5]);
    // ▁ba▁ab: the second ab is joined first, by rank; "▁ b" and "a ▁" are no rules.
    expect([...tokenizer.encode('ba ab')]).toEqual([2, 8, 7]);
    expect([...tokenizer.encode('é')]).toEqual([2, 9, 10]);
    expect([...tokenizer.encode('')]).toEqual([]);
  });

  it('counts the bytes of a run of ids with its leading space and its unknown tokens, without markers', async () => {
    const tokenizer = await load(SMALL);
    // " ab" 3, "<unk>" 5, BOS nothing, "é" 2.
    expect(tokenizer.byteLength(Int32Array.of(7, 0, 1, 9, 10))).toBe(3 + 5 + 2);
    expect(tokenizer.byteLength(Int32Array.of(1))).toBe(0);
  });

  it('gives unknown characters the unknown token and spelled-out special tokens their ids', async () => {
    const tokenizer = await load(SMALL);
    expect([...tokenizer.encode('aZ')]).toEqual([2, 3, 0]);
    expect([...tokenizer.encode('a<s>a')]).toEqual([2, 3, 1, 2, 3]);
  });

  it('decodes without special tokens, without ids that have no token, and leaves spaces as they are', async () => {
    const tokenizer = await load(SMALL, { clean_up_tokenization_spaces: true });
    expect(tokenizer.decode(Int32Array.of(1, 7, 0, 2, 5, 11, 9, 10, 12))).toBe('ab .é<tool>');
    expect(tokenizer.decode(Int32Array.of(1))).toBe('');
    expect(tokenizer.decode(new Int32Array(0))).toBe('');
  });

  it('counts ids up to the largest, added tokens included', async () => {
    expect((await load(SMALL)).vocabularySize).toBe(13);
  });

  it('does without a tokenizer_config.json and without optional parts', async () => {
    const bare = await mkdtemp(join(tmpdir(), 'quern-tokenizer-'));
    await writeFile(join(bare, 'tokenizer.json'), JSON.stringify({ model: SMALL.model }));
    expect([...(await loadTokenizer(bare)).encode('abab')]).toEqual([6, 6]);
    await rm(bare, { recursive: true });
  });

  it('names the folder and the option when there is no tokenizer', async () => {
    const missing = join(folder, 'nowhere');
    await expect(loadTokenizer(missing)).rejects.toMatchObject({
      code: 'TOKENIZER_NOT_FOUND',
      message: expect.stringMatching(/nowhere.*--tokenizer/),
    });
    const file = join(folder, 'tokenizer_config.json');
    await expect(loadTokenizer(file)).rejects.toMatchObject({ code: 'TOKENIZER_NOT_FOUND' });
  });

  it.each([
    ['no JSON', '{"model":', /tokenizer\.json/],
    ['not an object', '[1]', /no JSON object/],
    ['no model', '{}', /no "model"/],
    ['an unknown model', { model: { type: 'Magic' } }, /Magic/],
    ['an unknown pre-tokeniser', { ...SMALL, pre_tokenizer: { type: 'Magic' } }, /Magic/],
    ['merges of the wrong type', { ...SMALL, model: { ...SMALL.model, merges: 7 } }, /tokenizer\.json/],
  ])('refuses a tokenizer.json with %s', async (_, file, message) => {
    await expect(load(file)).rejects.toMatchObject({
      code: 'INVALID_TOKENIZER',
      message: expect.stringMatching(message),
    });
  });

  it('refuses to make up an id for a character that has none', async () => {
    const model = { type: 'BPE', vocab: { a: 0 }, merges: [], unk_token: '<none>' };
    const tokenizer = await load({ model });
    expect(() => tokenizer.encode('ab')).toThrow(/no id for token 1/);
  });
});

/** Byte-pair encoding as its definition reads: join the leftmost pair of the lowest rank until none is left. */
function encodeNaively(characters: string[], merges: readonly (string | string[])[]): string[] {
  const ranks = new Map(merges.map((merge, rank) => [typeof merge === 'string' ? merge : merge.join(' '), rank]));
  const pieces = [...characters];
  for (;;) {
    let best = -1;
    let bestRank = Number.POSITIVE_INFINITY;
    for (let index = 0; index + 1 < pieces.length; index++) {
      const rank = ranks.get(`${pieces[index]} ${pieces[index + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < bestRank) {
        best = index;
        bestRank = rank;
      }
    }
    if (best < 0) return pieces;
    pieces.splice(best, 2, pieces[best]! + pieces[best + 1]!);
  }
}

const hasShared = existsSync(join(SHARED, 'models'));

describe.skipIf(!hasShared)(
  'loadTokenizer on a published tokenizer without pre-tokeniser (needs ../shared/data)',
  () => {
    it('equals the definition of byte-pair encoding on whole stories', async () => {
      const path = join(SHARED, 'models/tinystories-656k-llama');
      const { model } = JSON.parse(await readFile(join(path, 'tokenizer.json'), 'utf8'));
      const tokenizer = await loadTokenizer(path);
      const { documents } = await loadTextSet('stories', 'evaluation', CALIB_DATA);
      for (const document of documents.slice(0, 12)) {
        const text = `▁${document.replaceAll(' ', '▁')}`;
        const expected = encodeNaively(Array.from(text), model.merges).flatMap(piece => {
          if (piece in model.vocab) return [model.vocab[piece] as number];
          if (!model.byte_fallback) return [model.vocab['<unk>'] as number];
          return Array.from(new TextEncoder().encode(piece), byte => {
            return model.vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`] as number;
          });
        });
        expect([...tokenizer.encode(document)]).toEqual(expected);
      }
    });
  },
);

describe('loadTokenizer on the demo model', () => {
  it('equals the definition of byte-level byte-pair encoding', async () => {
    const path = join(ROOT, 'models/demo');
    const { model } = JSON.parse(await readFile(join(path, 'tokenizer.json'), 'utf8'));
    const tokenizer = await loadTokenizer(path);
    const { documents } = await loadTextSet('prose', 'evaluation', CALIB_DATA);
    const words = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
    for (const document of [...documents.slice(0, 4), '  tabs\t\tand\n\n  lines — “é” 😀 12345']) {
      const expected = document.match(words)!.flatMap(word => {
        const bytes = Array.from(new TextEncoder().encode(word), byteCharacter);
        return encodeNaively(bytes, model.merges).map(piece => model.vocab[piece] as number);
      });
      const ids = tokenizer.encode(document);
      expect([...ids]).toEqual(expected);
      expect(tokenizer.decode(ids)).toBe(document);
    }
  });
});

/** GPT-2's printable stand-in of a byte: itself where it prints, else the next free one from 256. */
function byteCharacter(byte: number): string {
  const prints = (code: number) => (code > 32 && code < 127) || (code > 160 && code !== 173);
  if (prints(byte)) return String.fromCharCode(byte);
  let before = 0;
  for (let code = 0; code < byte; code++) if (!prints(code)) before++;
  return String.fromCharCode(256 + before);
}
