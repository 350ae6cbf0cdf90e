import { describe, expect, it } from 'vitest';
import { packBranches } from './packBranches.ts';

const BEGINNING = [9, 1, 2, 3, 4, 5, 6, 7, 8];
const window = (ids: readonly number[], firstScored: number) => ({
  ids: Int32Array.from([...BEGINNING, ...ids]),
  firstScored: BEGINNING.length + firstScored,
});

describe('packBranches', () => {
  it('puts what follows one beginning side by side, each behind the token that predicts its first', () => {
    // Tokens 20, 21 follow 10; 20 is scored as well as 21. Then a longer one.
    const packed = packBranches([window([10, 20, 21], 1), window([10, 30, 31, 32], 1)])!;
    expect([...packed.ids]).toEqual([...BEGINNING, 10, 20, 10, 30, 31]);
    expect([...packed.targets].slice(9)).toEqual([20, 21, 30, 31, 32]);
    expect([...packed.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9, 10, 11]);
    expect(packed.scoredFrom).toEqual([9, 11]);
    const hidden = (row: number) =>
      [...packed.bias.subarray(14 * row, 14 * row + 14)].flatMap((value, column) => (value < 0 ? [column] : []));
    for (let row = 0; row < 11; row++) expect(hidden(row)).toEqual([]);
    for (let row = 11; row < 14; row++) expect(hidden(row)).toEqual([9, 10]);
  });

  it('lets contexts part before what is scored', () => {
    const packed = packBranches([window([10, 40, 41], 2), window([11, 40, 41], 2)])!;
    expect([...packed.ids]).toEqual([...BEGINNING.slice(0, 9), 10, 40, 11, 40]);
    // -ln p(41) stands at the tokens before it.
    expect(packed.scoredFrom.map(place => packed.ids[place])).toEqual([40, 40]);
    expect(packed.scoredFrom.map(place => packed.targets[place])).toEqual([41, 41]);
  });

  it('has no use for one window, or for those that have little in common', () => {
    expect(packBranches([window([10, 20], 1)])).toBe(null);
    const short = (ids: readonly number[]) => ({ ids: Int32Array.from(ids), firstScored: 2 });
    expect(packBranches([short([1, 2, 3]), short([1, 2, 4])])).toBe(null);
  });
});
