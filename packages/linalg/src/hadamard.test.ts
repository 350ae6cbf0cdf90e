import { expect, it } from 'vitest';
import { hadamard } from './hadamard.ts';
import { orthogonalityError } from './orthogonalityError.ts';
import { randomOrthogonal } from './randomOrthogonal.ts';

it.each([1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 56, 60, 64, 68, 72, 76, 80, 84, 88, 96, 128, 160, 192])(
  'has rows of 1 and -1 that are orthogonal, of order %i',
  order => {
    const { data, ...shape } = hadamard(order)!;
    expect(data.every(value => value === 1 || value === -1)).toBe(true);
    const scaled = { ...shape, data: data.map(value => value / Math.sqrt(order)) };
    expect(orthogonalityError(scaled, 'rows')).toBeLessThan(1e-13);
  },
);

it('reaches the widths of common language models, and tells what it does not', () => {
  for (const order of [288, 576, 896, 960, 1536, 2048, 3072]) expect(hadamard(order)?.rows).toBe(order);
  for (const order of [0, 3, 6, 10, 52, 92, 1.5, -4]) expect(hadamard(order)).toBeNull();
});

it.each([1, 6, 7, 12, 64, 92])('gives an orthogonal matrix of order %i, by the numbers it is given', async order => {
  let state = 1;
  const uniform = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  const first = await randomOrthogonal(order, uniform);
  expect(orthogonalityError(first, 'rows')).toBeLessThan(1e-13);
  const second = await randomOrthogonal(order, uniform);
  if (order > 1) expect(second).not.toEqual(first);
  state = 1;
  expect(await randomOrthogonal(order, uniform)).toEqual(first);
});
