import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countWords } from './countWords.ts';
import { cutWindows } from './cutWindows.ts';
import { loadTextSet } from './loadTextSet.ts';
import { loadTokenizer } from './loadTokenizer.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SHARED = join(ROOT, '../shared/data');

describe('countWords', () => {
  // len(re.split(r"\s+", text)) of CPython 3.11.
  it.each([
    ['a b', 2],
    ['a  b\n', 3],
    [' \n = T = \n', 5],
    ['', 1],
    ['\n', 2],
    ['a\u3000b\u001cc\u0085d\ufeffe', 4],
  ])('%j', (text, words) => expect(countWords(text)).toBe(words));

  it('takes the 29 characters for white space that Python does', () => {
    const spaces: number[] = [];
    for (let code = 0; code < 0x10000; code++) if (countWords(String.fromCharCode(code)) === 2) spaces.push(code);
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const others = [0x85, 0xa0, 0x1680, ...range(0x2000, 0x200a), 0x2028, 0x2029, 0x202f, 0x205f, 0x3000];
    expect(spaces).toEqual([...range(9, 13), ...range(0x1c, 0x20), ...others]);
  });
});

const models = ['models/demo', '../shared/data/models/stories260K-llama', '../shared/data/models/babyllama-105-llama'];
const sum = (values: Int32Array) => values.reduce((total, value) => total + value, 0);

describe.each(models)('words of windows, %s', name => {
  const folder = join(ROOT, name);

  it.skipIf(!existsSync(folder))('add up to those of the documents, wherever windows are cut', async () => {
    const tokenizer = await loadTokenizer(folder);
    const file = join(SHARED, 'text/tinystories_eval.txt.gz');
    const set = existsSync(file)
      ? await loadTextSet(file, 'evaluation', join(ROOT, 'calib-data'))
      : await loadTextSet('stories', 'evaluation', join(ROOT, 'calib-data'));
    // The tokenizer of 105 characters knows neither line feeds nor curly quotes.
    const documents = set.documents.slice(0, 30).map(text => text.replaceAll(/[^ -~]+/g, ' '));
    const words = documents.reduce((total, text) => total + countWords(text), 0);
    const cut = { bosTokenId: 1, windowLength: 4096, stride: 4096, perDocument: true };
    expect(sum(cutWindows(documents, tokenizer, cut).wordCounts)).toBe(words);
    // A stride scores every token of the text once: the first is BOS.
    for (const [windowLength, stride] of [
      [64, 63],
      [101, 7],
    ] as const) {
      const { wordCounts } = cutWindows(documents, tokenizer, { ...cut, windowLength, stride, perDocument: false });
      expect(sum(wordCounts)).toBe(words);
    }
    // Disjoint windows leave out their first tokens and the tail.
    const disjoint = cutWindows(documents, tokenizer, { ...cut, windowLength: 64, stride: 64, perDocument: false });
    expect(sum(disjoint.wordCounts)).toBeLessThanOrEqual(words);
    expect(sum(disjoint.wordCounts)).toBeGreaterThan(0.9 * words);
  });
});
