import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { cutLongPieces } from './cutLongPieces.ts';
import { joinableCharacters, type TokenizerModel } from './joinableCharacters.ts';

const ALPHABET = ['a', 'b', 'c', 'd', '▁', '😀'];

/** Park-Miller; the same texts in every run. */
function randomIntegers(seed: number): (limit: number) => number {
  let state = seed;
  return limit => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
}

function randomText(random: (limit: number) => number, length: number): string {
  return Array.from({ length }, () => ALPHABET[random(ALPHABET.length)]).join('');
}

function idsWithout(model: TokenizerModel, text: string): number[] {
  const file = { model, normalizer: null, pre_tokenizer: null, decoder: null, post_processor: null, added_tokens: [] };
  return new HuggingFaceTokenizer(file, {}).encode(text).ids;
}

function idsWithCuts(model: TokenizerModel, text: string): number[] {
  const file = { model, normalizer: null, pre_tokenizer: null, decoder: null, post_processor: null, added_tokens: [] };
  const library = new HuggingFaceTokenizer(file, {}) as unknown as {
    pre_tokenizer: (text: string) => string[];
    encode(text: string): { ids: number[] };
  };
  library.pre_tokenizer = piece => cutLongPieces([piece], joinableCharacters(model)!);
  return library.encode(text).ids;
}

/** Merges that build on one another, as training makes them. */
function randomBytePairModel(random: (limit: number) => number): TokenizerModel {
  const pieces = [...ALPHABET];
  const merges: string[][] = [];
  for (let rule = 0; rule < 12; rule++) {
    const left = pieces[random(pieces.length)]!;
    const right = pieces[random(pieces.length)]!;
    if (pieces.includes(left + right)) continue;
    merges.push([left, right]);
    pieces.push(left + right);
  }
  return { type: 'BPE', vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges };
}

function randomUnigramModel(random: (limit: number) => number): TokenizerModel {
  const vocab: [string, number][] = [['<unk>', -20], ...ALPHABET.map((c): [string, number] => [c, -8])];
  // Scores that are sums of powers of two add up without rounding, so ties break alike in any order of addition.
  for (let piece = 0; piece < 8; piece++) {
    const text = randomText(random, 2 + random(2));
    if (!vocab.some(([known]) => known === text)) vocab.push([text, -random(64) / 4 - 1]);
  }
  return { type: 'Unigram', vocab, unk_id: 0 } as TokenizerModel;
}

describe('cutLongPieces', () => {
  it('cuts between characters that are not joinable and nowhere else', () => {
    const long = 'ab'.repeat(40);
    expect(cutLongPieces([long], new Set(['ab']))).toEqual(Array.from({ length: 40 }, () => 'ab'));
    expect(cutLongPieces([long], new Set(['ab', 'ba']))).toEqual([long]);
  });

  it('leaves short pieces alone', () => {
    expect(cutLongPieces(['abab', ''], new Set())).toEqual(['abab', '']);
  });

  it('never changes the ids of byte-pair encoding', () => {
    let cuts = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomIntegers(seed);
      const model = randomBytePairModel(random);
      const text = randomText(random, 65 + random(200));
      cuts += cutLongPieces([text], joinableCharacters(model)!).length - 1;
      expect(idsWithCuts(model, text)).toEqual(idsWithout(model, text));
    }
    expect(cuts).toBeGreaterThan(1000);
  });

  it('never changes the ids of a unigram model', () => {
    let cuts = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomIntegers(seed);
      const model = randomUnigramModel(random);
      const text = randomText(random, 65 + random(200));
      cuts += cutLongPieces([text], joinableCharacters(model)!).length - 1;
      expect(idsWithCuts(model, text)).toEqual(idsWithout(model, text));
    }
    expect(cuts).toBeGreaterThan(1000);
  });
});
