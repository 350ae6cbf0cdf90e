import { expect, it } from 'vitest';
import { relativeOutputError } from './relativeOutputError.ts';
import { relativeWeightError } from './relativeWeightError.ts';
import { randomWeight } from './testData.ts';

const weight = { rows: 2, columns: 2, data: Float32Array.of(3, 0, 0, 4) };
const reconstruction = { rows: 2, columns: 2, data: Float32Array.of(3, 1, 0, 2) };

it('weighs errors by the Gram, as computed by hand', async () => {
  // E = [0 -1; 0 2], G = [4 1; 1 2]: tr(E G E^T) = 2 + 8, tr(W G W^T) = 36 + 32.
  const gram = { rows: 2, columns: 2, data: Float64Array.of(4, 1, 1, 2) };
  expect(await relativeOutputError(weight, reconstruction, gram)).toBeCloseTo(Math.sqrt(10 / 68), 12);
  expect(relativeWeightError(weight, reconstruction)).toBeCloseTo(Math.sqrt(5 / 25), 12);
});

it('is 0 for an exact reconstruction, of zeros too, and for errors on inputs that are never active', async () => {
  const gram = { rows: 2, columns: 2, data: Float64Array.of(4, 0, 0, 0) };
  const zeros = { rows: 2, columns: 2, data: new Float32Array(4) };
  expect(await relativeOutputError(weight, weight, gram)).toBe(0);
  expect(await relativeOutputError(zeros, zeros, gram)).toBe(0);
  expect(relativeWeightError(zeros, zeros)).toBe(0);
  expect(await relativeOutputError(weight, reconstruction, gram)).toBe(0);
});

it('adds up over panels of outputs', async () => {
  const tall = randomWeight(2100, 3, 4);
  const off = { ...tall, data: tall.data.map(value => value * 0.75) };
  const gram = { rows: 3, columns: 3, data: Float64Array.of(2, 1, 0, 1, 2, 0, 0, 0, 1) };
  expect(await relativeOutputError(tall, off, gram)).toBeCloseTo(0.25, 6);
});

it('refuses shapes that differ', async () => {
  const gram = { rows: 2, columns: 2, data: new Float64Array(4) };
  expect(() => relativeWeightError(weight, randomWeight(2, 3))).toThrow('2 x 3');
  await expect(relativeOutputError(weight, randomWeight(1, 2), gram)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
});
