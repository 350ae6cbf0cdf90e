import { describe, expect, it } from 'vitest';
import { createWordSearch } from './createWordSearch.ts';
import type { Matrix } from './matrix.ts';
import { plainProduct, plainTranspose, randomGram, randomMatrix } from './plainLoops.ts';

/** v S v^T - 2 v . b */
function costOf(v: readonly number[], b: ArrayLike<number>, { data }: Matrix): number {
  const image = v.map((_, row) => v.reduce((sum, value, column) => sum + value * data[row * v.length + column]!, 0));
  return v.reduce((sum, value, index) => sum + value * (image[index]! - 2 * b[index]!), 0);
}

function setting(length: number, codebookCount: number, wordCount: number, seed: number) {
  const metric = randomGram(length, 0.1, 1, seed);
  const words = Float32Array.from(randomMatrix(codebookCount * wordCount, length, seed + 1).data);
  const sumOf = (codes: readonly number[]): number[] =>
    Array.from({ length }, (_, index) =>
      codes.reduce((sum, code, codebook) => sum + words[(codebook * wordCount + code) * length + index]!, 0),
    );
  /** Every choice of one word a codebook. */
  const choices = Array.from({ length: wordCount ** codebookCount }, (_, choice) =>
    Array.from({ length: codebookCount }, (_, codebook) => Math.floor(choice / wordCount ** codebook) % wordCount),
  );
  return { metric, words, sumOf, choices };
}

describe('createWordSearch', () => {
  it.each([
    [8, 1, 256],
    [3, 1, 7],
    [1, 1, 2],
    [5, 1, 33],
    [8, 2, 16],
    [2, 3, 5],
  ])('finds the best sum where the beam holds all: length %i, %i codebooks of %i words', (length, count, wordCount) => {
    const rows = 5;
    const { metric, words, sumOf, choices } = setting(length, count, wordCount, 3);
    const search = createWordSearch({
      rowCapacity: 7,
      groupCount: 3,
      length,
      codebookCount: count,
      wordCount,
      beam: wordCount ** (count - 1),
      slots: 2,
    });
    search.setWords(words);
    search.linear.set(randomMatrix(length, 7, 4).data);
    const fallen = search.search({ group: 1, rows, metric, rounds: 1, assigned: false, slot: 1 });
    let expected = 0;
    for (let row = 0; row < rows; row++) {
      const b = Array.from({ length }, (_, index) => search.linear[index * 7 + row]!);
      const least = Math.min(...choices.map(codes => costOf(sumOf(codes), b, metric)));
      const codes = [...search.codes.subarray((row * 3 + 1) * count, (row * 3 + 2) * count)];
      const found = sumOf(codes);
      expect(costOf(found, b, metric)).toBeLessThan(least + 1e-5);
      for (let index = 0; index < length; index++) {
        expect(search.changes[(length + index) * 7 + row]).toBeCloseTo(found[index]!, 6);
      }
      expected -= costOf(found, b, metric);
    }
    expect(fallen).toBeCloseTo(expected, 6);
    // Other groups and rows stay as they are.
    expect(search.codes.subarray(0, count).every(code => code === 0)).toBe(true);
    expect(search.codes.subarray((rows * 3 + 1) * count).every(code => code === 0)).toBe(true);
  });

  it.each([1, 2, 4, 16])('a search from codes never raises the value: beam %i', beam => {
    const [rows, length, count, wordCount] = [64, 8, 3, 20];
    const { metric, words, sumOf } = setting(length, count, wordCount, 5);
    const search = createWordSearch({
      rowCapacity: rows,
      groupCount: 1,
      length,
      codebookCount: count,
      wordCount,
      beam,
      slots: 1,
    });
    search.setWords(words);
    const start = Uint16Array.from(randomMatrix(rows, count, 6).data, value => Math.floor((value + 1) * 10));
    search.codes.set(start);
    const wanted = randomMatrix(rows, length, 7);
    const codesOf = (row: number) => [...search.codes.subarray(row * count, (row + 1) * count)];
    /** The linear part that makes `wanted` the best: S (wanted - v). */
    const aim = () => {
      const rest = { ...wanted, data: wanted.data.slice() };
      for (let row = 0; row < rows; row++) {
        for (const [index, value] of sumOf(codesOf(row)).entries()) rest.data[row * length + index]! -= value;
      }
      search.linear.set(plainTranspose(plainProduct(rest, metric)).data);
    };
    const errors = () =>
      Array.from({ length: rows }, (_, row) => {
        const error = sumOf(codesOf(row)).map((value, index) => value - wanted.data[row * length + index]!);
        return costOf(error, new Float64Array(length), metric);
      });
    for (let pass = 0; pass < 3; pass++) {
      const before = errors();
      aim();
      const fallen = search.search({ group: 0, rows, metric, rounds: 2, assigned: true, slot: 0 });
      const after = errors();
      expect(after.every((error, row) => error <= before[row]! + 1e-9)).toBe(true);
      const difference = before.reduce((sum, error, row) => sum + error - after[row]!, 0);
      expect(fallen).toBeCloseTo(difference, 6);
      if (pass === 0) expect(fallen).toBeGreaterThan(0);
    }
  });
});
