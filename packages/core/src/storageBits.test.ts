import { expect, it } from 'vitest';
import type { CodebookWeight, DenseWeight, LowRankWeight, QuantizedWeight } from './compressedWeight.ts';
import { reconstruct } from './reconstruct.ts';
import { maskedStorageBits, storageBits } from './storageBits.ts';

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

it('reconstructs scale (code - zeroPoint), the default zero point being half the grid', async () => {
  const dense = await reconstruct(weight);
  expect(dense.rows).toBe(2);
  expect(dense.data[0]).toBe(0.5 * (0 - 4));
  expect(dense.data[17]).toBe(1 * (1 - 4)); // second group of the first output
  expect(dense.data[20]).toBe(2 * (4 - 4)); // first group of the second output
  expect(dense.data[39]).toBe(0.25 * (7 - 4));
  const shifted = await reconstruct({ ...weight, zeroPoints: Uint8Array.of(0, 1, 2, 3) });
  expect(shifted.data[17]).toBe(1 * (1 - 1));
  expect(shifted.data[39]).toBe(0.25 * (7 - 3));
});

/** [[1, 2], [3, 4]] [[1, 0, -1], [2, 1, 0]] = [[5, 2, -1], [11, 4, -3]]. */
const left: DenseWeight = { kind: 'dense', outFeatures: 2, inFeatures: 2, data: Float32Array.of(1, 2, 3, 4) };
const right: DenseWeight = { kind: 'dense', outFeatures: 2, inFeatures: 3, data: Float32Array.of(1, 0, -1, 2, 1, 0) };
const lowRank: LowRankWeight = { kind: 'lowRank', outFeatures: 2, inFeatures: 3, left, right, sharedRight: null };
/** Per channel in 2 bits: one kernel block of 32 codes and one scale an output; [[-2, -1, 0], [0.5, 0, -0.5]]. */
const base: QuantizedWeight = {
  kind: 'quantized',
  outFeatures: 2,
  inFeatures: 3,
  bits: 2,
  groupSize: 3,
  codes: Uint8Array.of(0, 1, 2, 3, 2, 1),
  scales: Float32Array.of(1, 0.5),
  scaleType: 'float16',
  zeroPoints: null,
};

it('counts factors in 16 bits a value, a shared one by its part', () => {
  expect(storageBits(left)).toBe(4 * 16);
  expect(storageBits(lowRank)).toBe((4 + 6) * 16);
  expect(storageBits({ ...lowRank, sharedRight: { name: 'basis', siteCount: 3 } })).toBe((4 + 6 / 3) * 16);
  const sharedLeft = { name: 'atoms', siteCount: 2 };
  expect(storageBits({ ...lowRank, sharedLeft })).toBe((4 / 2 + 6) * 16);
  expect(maskedStorageBits({ ...lowRank, sharedLeft })).toBe((4 / 2 + 6) * 16);
  const corrected = { kind: 'corrected', outFeatures: 2, inFeatures: 3, base, correction: lowRank } as const;
  expect(storageBits(corrected)).toBe(2 * (32 * 2 + 16) + 160);
});

it('multiplies factors out and adds a correction', async () => {
  expect([...(await reconstruct(right)).data]).toEqual([1, 0, -1, 2, 1, 0]);
  const product = await reconstruct(lowRank);
  expect(product).toMatchObject({ rows: 2, columns: 3 });
  expect([...product.data]).toEqual([5, 2, -1, 11, 4, -3]);
  const corrected = { kind: 'corrected', outFeatures: 2, inFeatures: 3, base, correction: lowRank } as const;
  expect([...(await reconstruct(corrected)).data]).toEqual([3, 1, -1, 11.5, 4, -3.5]);
});

it('counts a bit for each place of a sparse factor, in pairs of bytes, and 16 for each value', async () => {
  const sparse = {
    kind: 'sparse',
    ...{ outFeatures: 3, inFeatures: 6 },
    mask: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
    values: Float32Array.of(0.5, -2, 4),
  } as const;
  expect(maskedStorageBits(sparse)).toBe(32 + 48);
  const { data } = await reconstruct(sparse);
  expect([...data]).toEqual([0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -2, 0, 0, 0, 0, 4]);
});

it('codebooks: sums of words, in planes of whole bytes and halves', async () => {
  // Two groups of 2 inputs, of which the last reaches past 3; two codebooks of 8 words.
  const codebooks = Float32Array.from({ length: 32 }, (_, index) => (index < 16 ? index : 100 * (index - 16)));
  const words: CodebookWeight = {
    kind: 'codebook',
    outFeatures: 2,
    inFeatures: 3,
    groupSize: 2,
    codebookCount: 2,
    codebookBits: 3,
    codebooks,
    codes: Uint16Array.of(0, 1, 7, 2, 3, 3, 0, 0),
    scales: Float32Array.of(1, -0.5),
  };
  const { rows, columns, data } = await reconstruct(words);
  expect([rows, columns]).toEqual([2, 3]);
  // Word c of the first codebook is (2c, 2c + 1), of the second a hundred times that.
  expect([...data]).toEqual([200, 301, 414, -303, -353.5, -0]);
  // Eight codes of 2 + 1 bits, 32 values of code words, 2 scales.
  expect(storageBits(words)).toBe(16 + 8 + 16 * 32 + 16 * 2);
  expect(storageBits({ ...words, codebookBits: 11, codebooks: new Float32Array(2 * 2048 * 2) })).toBe(
    8 * (8 + 2 + 1) + 16 * 8192 + 32,
  );
});
