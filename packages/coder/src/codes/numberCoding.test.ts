import { expect, it } from 'vitest';
import { decodeNumbers, encodeNumbers, fitNumberModel } from './numberCoding.ts';

const roundTrip = (numbers: Uint8Array): Uint8Array => {
  const model = fitNumberModel(numbers);
  return decodeNumbers(encodeNumbers([{ numbers, model }]), [{ count: numbers.length, model }])[0]!;
};

it.each([3, 256, 768, 20_000])('brings back %i numbers, of which one is far from the others', count => {
  for (const far of [0, 40, 63]) {
    for (const spread of [1, 2, 5, 9]) {
      const numbers = Uint8Array.from({ length: count }, (_, index) => 12 + (((index * 7919) >> 3) % spread));
      numbers[count >> 1] = far;
      expect(roundTrip(numbers)).toEqual(numbers);
    }
  }
});

it('brings back numbers that are all alike, and none', () => {
  expect(roundTrip(new Uint8Array(500).fill(63))).toEqual(new Uint8Array(500).fill(63));
  expect(roundTrip(new Uint8Array(0))).toEqual(new Uint8Array(0));
});
