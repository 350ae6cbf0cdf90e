import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TokenWindow } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { cutParts } from './cutParts.ts';
import { cutWindows } from './cutWindows.ts';
import { loadTextSet } from './loadTextSet.ts';
import { loadTokenizer } from './loadTokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { WindowOptions } from './windowOptions.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CALIB_DATA = join(ROOT, 'calib-data');
const SHARED = join(ROOT, '../shared/data');
const BOS = 1;
const AWKWARD = [1, 2, 3, 5, 7, 17, 31, 33];

/** A token a UTF-16 unit; BOS is special, so it has no text. */
const CHARACTERS: Tokenizer = {
  vocabularySize: 65536,
  encode: text => Int32Array.from(text, character => character.charCodeAt(0)),
  decode: ids => String.fromCharCode(...ids.filter(id => id !== BOS)),
  decodeInside: ids => String.fromCharCode(...ids.filter(id => id !== BOS)),
  byteLength: ids => Buffer.byteLength(String.fromCharCode(...ids.filter(id => id !== BOS))),
};

/** Documents of the given lengths whose tokens are all different. */
function documentsOf(lengths: readonly number[]): string[] {
  let next = 0x100;
  return lengths.map(length => Array.from({ length }, () => String.fromCharCode(next++)).join(''));
}

function streamOf(documents: readonly string[], bosTokenId: number | null): number[] {
  const stream: number[] = [];
  for (const document of documents) {
    if (bosTokenId !== null) stream.push(bosTokenId);
    for (const character of document) stream.push(character.charCodeAt(0));
  }
  return stream;
}

function cut(documents: readonly string[], change: Partial<WindowOptions>) {
  const windowLength = change.windowLength ?? 4;
  const options = { bosTokenId: BOS, windowLength, stride: windowLength, perDocument: false, ...change };
  return cutWindows(documents, CHARACTERS, options);
}

/** The same from the definition, token by token: position -> its window's start, the first that holds it with a token before. */
function scoredByDefinition(tokenCount: number, windowLength: number, stride: number): Map<number, number> {
  const scored = new Map<number, number>();
  for (let position = 0; position < tokenCount; position++) {
    for (let start = 0; start < position; start += stride) {
      const tailDropped = stride === windowLength && start + windowLength > tokenCount;
      if (position < start + windowLength && !tailDropped) {
        scored.set(position, start);
        break;
      }
    }
  }
  return scored;
}

describe('cutWindows', () => {
  it('puts BOS before each document, concatenates, drops the tail', () => {
    const { windows, byteCount } = cut(['abc', 'de', 'fgh'], { windowLength: 4 });
    expect(windows).toEqual([
      { ids: Int32Array.of(BOS, 97, 98, 99), firstScored: 1 },
      { ids: Int32Array.of(BOS, 100, 101, BOS), firstScored: 1 },
    ]);
    expect(byteCount).toBe('abc'.length + 'de'.length);
  });

  it('leaves the first token of a window unscored without BOS too', () => {
    const { windows, byteCount } = cut(['é—', 'ab', 'c'], { windowLength: 2, bosTokenId: null });
    expect(windows.map(window => [...window.ids])).toEqual([
      [0xe9, 0x2014],
      [97, 98],
    ]);
    expect(byteCount).toBe(3 + 1);
  });

  it('agrees with the definition for awkward lengths, strides and counts', () => {
    for (const windowLength of AWKWARD.filter(length => length >= 2)) {
      for (const stride of AWKWARD.filter(length => length <= windowLength)) {
        for (const bosTokenId of [null, BOS]) {
          for (const last of AWKWARD) {
            const documents = documentsOf([windowLength, 3, last]);
            const stream = streamOf(documents, bosTokenId);
            const { windows, byteCount } = cut(documents, { windowLength, stride, bosTokenId });
            const scored = new Map<number, number>();
            for (const [index, window] of windows.entries()) {
              const start = index * stride;
              expect([...window.ids]).toEqual(stream.slice(start, start + windowLength));
              for (let offset = window.firstScored; offset < window.ids.length; offset++) {
                expect(scored.has(start + offset)).toBe(false);
                scored.set(start + offset, start);
              }
            }
            expect(scored).toEqual(scoredByDefinition(stream.length, windowLength, stride));
            const text = [...scored.keys()].map(position => stream[position]!).filter(id => id !== BOS);
            expect(byteCount).toBe(Buffer.byteLength(String.fromCharCode(...text)));
          }
        }
      }
    }
  });

  it('scores every token after the first exactly once with a stride', () => {
    for (const stride of [1, 2, 5, 16]) {
      const { windows } = cut(documentsOf([40, 1, 33]), { windowLength: 17, stride });
      const count = windows.reduce((sum, window) => sum + window.ids.length - window.firstScored, 0);
      expect(count).toBe(40 + 1 + 33 + 3 - 1);
    }
  });

  it.each([8, 3])('begins every window with BOS where it has to, and scores the same tokens, stride %i', stride => {
    const documents = documentsOf([13, 5, 20]);
    const plain = cut(documents, { windowLength: 8, stride });
    const begun = cut(documents, { windowLength: 8, stride, bosEverywhere: true });
    expect(plain.windows.some(({ ids }) => ids[0] !== BOS)).toBe(true);
    expect(begun.windows).toEqual(
      plain.windows.map(({ ids, firstScored }) => ({ ids: Int32Array.of(BOS, ...ids.slice(1)), firstScored })),
    );
    expect(begun).toMatchObject({ byteCounts: plain.byteCounts, wordCounts: plain.wordCounts });
  });

  it('cuts each document alone, all tokens after BOS scored', () => {
    const { windows, byteCount } = cut(['abcdef', '', 'gé'], { windowLength: 4, perDocument: true });
    expect(windows).toEqual([
      { ids: Int32Array.of(BOS, 97, 98, 99), firstScored: 1 },
      { ids: Int32Array.of(BOS, 103, 0xe9), firstScored: 1 },
    ]);
    expect(byteCount).toBe(3 + 3);
  });

  it('passes over documents of one token where there is no BOS', () => {
    const { windows } = cut(['a', 'bc'], { perDocument: true, bosTokenId: null });
    expect(windows).toEqual([{ ids: Int32Array.of(98, 99), firstScored: 1 }]);
  });

  it('takes the first windows up to the maximum and encodes no more than they need', () => {
    const documents = documentsOf([9, 9, 9, 9]);
    for (const change of [
      { windowLength: 5 },
      { windowLength: 5, stride: 2 },
      { windowLength: 5, perDocument: true },
    ]) {
      let encoded = 0;
      const counting = {
        ...CHARACTERS,
        encode(text: string) {
          encoded++;
          return CHARACTERS.encode(text);
        },
      };
      const options = { bosTokenId: BOS, stride: 5, perDocument: false, maximumCount: 2, ...change };
      const { windows } = cutWindows(documents, counting, options);
      expect(windows).toEqual(cut(documents, change).windows.slice(0, 2));
      expect(encoded).toBe('perDocument' in change ? 2 : 1);
    }
  });

  it('takes a text of exactly one window and refuses a shorter one', () => {
    expect(cut(['abc'], { windowLength: 4 }).windows.length).toBe(1);
    expect(cut(['abc'], { windowLength: 4, stride: 1 }).windows.length).toBe(1);
    for (const stride of [1, 5]) {
      expect(() => cut(['abc'], { windowLength: 5, stride })).toThrow(
        expect.objectContaining({ code: 'TEXT_TOO_SHORT', context: { tokenCount: 4, windowLength: 5 } }),
      );
    }
    expect(() => cut(['a'], { perDocument: true, bosTokenId: null })).toThrow(
      expect.objectContaining({ code: 'TEXT_TOO_SHORT' }),
    );
  });

  it('gives windows that own their buffers', () => {
    for (const change of [{ stride: 1 }, { perDocument: true }]) {
      const { windows } = cut(['abcdefgh'], change);
      for (const { ids } of windows) expect(ids.buffer.byteLength).toBe(ids.byteLength);
    }
  });

  it('survives a document of a million tokens', () => {
    const long = 'ab'.repeat(500_000);
    const tokenizer = { ...CHARACTERS, decodeInside: () => '', byteLength: (ids: Int32Array) => ids.length };
    const options = { bosTokenId: BOS, windowLength: 1000, stride: 1000, perDocument: false };
    expect(cutWindows([long], tokenizer, options).windows.length).toBe(1000);
  });

  it.each([
    [{ windowLength: 1, stride: 1 }, /--window-length is 1/],
    [{ windowLength: 4.5, stride: 1 }, /--window-length is 4.5/],
    [{ stride: 0 }, /--stride is 0; it must be a whole number, 1 to 4/],
    [{ stride: 5 }, /--stride is 5; it must be a whole number, 1 to 4/],
    [{ maximumCount: 0 }, /--windows is 0/],
    [{ bosTokenId: -1 }, /bos_token_id is -1/],
    [{ perDocument: true, stride: 2 }, /--per-document/],
  ])('refuses %j', (change, message) => {
    expect(() => cut(['abcdefgh'], change)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
    expect(() => cut(['abcdefgh'], change)).toThrow(message);
  });
});

describe('cutParts', () => {
  it('gives the windows of a long text part by part, each as soon as its documents are encoded', () => {
    const documents = Array.from({ length: 40 }, (_, at) => 'ab c'.repeat(500 + at));
    let encoded = 0;
    const counting = {
      ...CHARACTERS,
      encode: (text: string) => {
        encoded++;
        return CHARACTERS.encode(text);
      },
    };
    for (const change of [{}, { stride: 100 }, { maximumCount: 90 }]) {
      const options = { bosTokenId: BOS, windowLength: 500, stride: 500, perDocument: false, ...change };
      const whole = cutWindows(documents, CHARACTERS, options);
      encoded = 0;
      const windows: TokenWindow[] = [];
      let [parts, words] = [0, 0];
      for (const part of cutParts(documents, counting, options)) {
        windows.push(...part.windows);
        words += part.wordCounts.reduce((sum, count) => sum + count, 0);
        if (parts++ === 0) expect(encoded).toBeLessThan(10);
        expect(part.share * whole.windows.length).toBeGreaterThan(windows.length - 5);
        expect(part.share * whole.windows.length).toBeLessThan(windows.length + 5);
      }
      expect(windows).toEqual(whole.windows);
      expect(words).toBe(whole.wordCounts.reduce((sum, count) => sum + count, 0));
      expect(parts).toBeGreaterThan(2);
    }
  });

  it('gives all windows of single documents as one part', () => {
    const documents = Array.from({ length: 200 }, () => 'abc '.repeat(100));
    const options = { bosTokenId: BOS, windowLength: 500, stride: 500, perDocument: true };
    const parts = [...cutParts(documents, CHARACTERS, options)];
    expect(parts.map(({ windows, share }) => [windows.length, share])).toEqual([[200, 1]]);
  });
});

/** Bits per byte times ln 2 is nll per byte, so a published pair of figures gives the number of bytes. */
function bytesFrom(perplexity: number, tokenCount: number, bitsPerByte: number): number {
  return (Math.log(perplexity) * tokenCount) / (Math.LN2 * bitsPerByte);
}

describe('cutWindows on the demo model', () => {
  it.each([
    ['stories', 45, 10_672, 33.1302, 1.5797],
    ['prose', 20, 5_100, 34.9539, 1.4881],
  ])(
    'counts the tokens and bytes measured independently on %s',
    async (set, count, tokens, perplexity, bitsPerByte) => {
      const tokenizer = await loadTokenizer(join(ROOT, 'models/demo'));
      const { documents } = await loadTextSet(set, 'evaluation', CALIB_DATA);
      const options = { bosTokenId: 0, windowLength: 256, stride: 256, perDocument: true };
      const { windows, byteCount } = cutWindows(documents, tokenizer, options);
      expect(windows.length).toBe(count);
      expect(windows.reduce((sum, window) => sum + window.ids.length - window.firstScored, 0)).toBe(tokens);
      // The figures have 4 decimals: half a unit is 3e-5 of the bytes.
      expect(Math.abs(byteCount / bytesFrom(perplexity, tokens, bitsPerByte) - 1)).toBeLessThan(4e-5);
    },
  );
});

const hasShared = existsSync(join(SHARED, 'text'));

describe.skipIf(!hasShared)('cutWindows on published models (needs ../shared/data)', () => {
  it.each([
    ['stories260K-llama', 512, 83_023],
    ['tinystories-656k-llama', 512, 43_151],
    ['babyllama-105-llama', 256, 51_000],
  ])('counts the tokens that %s was measured on', async (model, windowLength, tokens) => {
    const tokenizer = await loadTokenizer(join(SHARED, 'models', model));
    const { documents } = await loadTextSet(join(SHARED, 'text/tinystories_eval.txt.gz'), 'evaluation', CALIB_DATA);
    expect(documents.length).toBe(200);
    const options = { bosTokenId: 1, windowLength, stride: windowLength, perDocument: true };
    const { windows } = cutWindows(documents, tokenizer, options);
    expect(windows.reduce((sum, window) => sum + window.ids.length - window.firstScored, 0)).toBe(tokens);
  });
});
