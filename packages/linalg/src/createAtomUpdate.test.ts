import { Matrix as NaiveMatrix, SVD } from 'ml-matrix';
import { expect, it } from 'vitest';
import { createAtomUpdate } from './createAtomUpdate.ts';

function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

it.each([
  [1, 1],
  [2, 3],
  [5, 7],
  [9, 17],
  [33, 31],
])('of %i rows of %i values: the leading singular pair, and a residual that follows', (count, columns) => {
  const random = seededRandom(count * 100 + columns);
  const rows = count + 2;
  const residual = { rows, columns, data: Float64Array.from({ length: rows * columns }, random) };
  const users = Array.from({ length: count }, (_, index) => (index * 2 + 1) % rows).sort((a, b) => a - b);
  const own = new Set(users).size === count ? users : users.map((_, index) => index);
  const atom = Float64Array.from({ length: columns }, random);
  const norm = Math.hypot(...atom);
  const values = Float64Array.from({ length: count }, random);
  const whole = own.map((row, index) =>
    Array.from(
      { length: columns },
      (_, at) => residual.data[row * columns + at]! + (values[index]! * atom[at]!) / norm,
    ),
  );
  const update = createAtomUpdate(residual);
  update.users.set(own);
  update.values.set(values);
  update.atom.set(atom.map(value => value / norm));
  for (let round = 0; round < 60; round++) expect(update.update(count, 8)).toBe(true);
  const [largest] = new SVD(new NaiveMatrix(whole)).diagonal;
  expect(Math.hypot(...update.values.subarray(0, count))).toBeCloseTo(largest!, 8);
  expect(Math.hypot(...update.atom)).toBeCloseTo(1, 12);
  for (const [index, line] of whole.entries()) {
    const product = line.reduce((sum, value, at) => sum + value * update.atom[at]!, 0);
    expect(update.values[index]).toBeCloseTo(product, 8);
  }
});

it('leaves what is nothing as it is', () => {
  const update = createAtomUpdate({ rows: 2, columns: 3, data: new Float64Array(6) });
  update.users.set([0, 1]);
  update.atom.set([0, 1, 0]);
  expect(update.update(2, 8)).toBe(false);
  expect([...update.atom]).toEqual([0, 1, 0]);
});
