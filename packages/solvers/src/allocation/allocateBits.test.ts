import { expect, it } from 'vitest';
import { allocateBits } from './allocateBits.ts';

/** Six decibels a bit. */
const curve = [0.3, 2, 4, 8].map(bits => ({ bits, loss: 4 ** -bits }));

it('spends the budget where slopes are equal', () => {
  const sites = [
    { elements: 1000, sensitivity: 1, curve },
    { elements: 1000, sensitivity: 16, curve },
    { elements: 2000, sensitivity: 2, curve },
  ];
  const bits = allocateBits(sites, 3);
  expect((bits[0]! + bits[1]! + 2 * bits[2]!) / 4).toBeCloseTo(3, 6);
  // Slope: sensitivity 4^-b / elements; 16 times the sensitivity is worth two bits.
  expect(bits[1]! - bits[0]!).toBeCloseTo(2, 1);
  expect(bits[2]! - bits[0]!).toBeCloseTo(0, 1);
});

it('gives sites that nothing depends on the least, and keeps the rest for the others', () => {
  const sites = [
    { elements: 500, sensitivity: 0, curve },
    { elements: 500, sensitivity: 1, curve },
  ];
  const bits = allocateBits(sites, 2);
  expect(bits[0]).toBeCloseTo(0.3, 1);
  expect((bits[0]! + bits[1]!) / 2).toBeCloseTo(2, 6);
});
