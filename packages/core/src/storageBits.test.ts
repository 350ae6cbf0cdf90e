import { expect, it } from 'vitest';
import type { QuantizedWeight } from './compressedWeight.ts';
import { reconstruct } from './reconstruct.ts';
import { storageBits } from './storageBits.ts';

const weight: QuantizedWeight = {
  kind: 'quantized',
  outFeatures: 2,
  inFeatures: 20,
  bits: 3,
  groupSize: 16,
  codes: Uint8Array.from({ length: 40 }, (_, index) => index % 8),
  scales: Float32Array.of(0.5, 1, 2, 0.25),
  scaleType: 'float16',
  zeroPoints: null,
};

it('counts padding, scales and zero points', () => {
  // Each output: 2 blocks of 16 codes of 4 bits, 2 scales of 16 bits.
  expect(storageBits(weight)).toBe(2 * (2 * 16 * 4 + 2 * 16));
  expect(storageBits({ ...weight, scaleType: 'float32' })).toBe(2 * (128 + 64));
  // Two 4-bit zero points share one byte.
  expect(storageBits({ ...weight, zeroPoints: new Uint8Array(4) })).toBe(2 * (128 + 32 + 8));
});

it('reconstructs scale (code - zeroPoint), the default zero point being half the grid', () => {
  const dense = reconstruct(weight);
  expect(dense.rows).toBe(2);
  expect(dense.data[0]).toBe(0.5 * (0 - 4));
  expect(dense.data[17]).toBe(1 * (1 - 4)); // second group of the first output
  expect(dense.data[20]).toBe(2 * (4 - 4)); // first group of the second output
  expect(dense.data[39]).toBe(0.25 * (7 - 4));
  const shifted = reconstruct({ ...weight, zeroPoints: Uint8Array.of(0, 1, 2, 3) });
  expect(shifted.data[17]).toBe(1 * (1 - 1));
  expect(shifted.data[39]).toBe(0.25 * (7 - 3));
});
