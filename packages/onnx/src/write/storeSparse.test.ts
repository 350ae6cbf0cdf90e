import { storageBits } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { compressedModel, distance, EXACT, HALF } from '../testing/compressedProduct.ts';
import { randomDictionary, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';

const folder = scratchFolder();

describe('sparse dictionaries', () => {
  // Places that fill bytes, and that do not.
  it.each([
    [{ outFeatures: 16, inFeatures: 24, atomCount: 10 }, EXACT, 1e-6],
    [{ outFeatures: 7, inFeatures: 17, atomCount: 5 }, EXACT, 1e-6],
    [{ outFeatures: 33, inFeatures: 40, atomCount: 31 }, HALF, 3e-3],
  ] as const)('%o multiply like their reconstruction, in the bits that are counted', async (shape, options, limit) => {
    const compressed = randomDictionary(shape, seededRandom(5));
    const model = await compressedModel(folder.path, compressed, options);
    expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
    const stored = model.proto.graph!.initializer.filter(({ name }) => /_(mask|values|F16)$/.test(name));
    expect(stored.length).toBe(3);
    expect(8 * storedBytes(stored)).toBe(storageBits(compressed));
  });

  it.each([2, 3, 5, 8])('coefficients of %i bits multiply like their reconstruction', async bits => {
    for (const [options, limit] of [
      [EXACT, 1e-6],
      [HALF, 3e-3],
    ] as const) {
      const { left, ...others } = randomDictionary(
        { outFeatures: 13, inFeatures: 24, atomCount: 9 },
        seededRandom(bits),
      );
      if (left.kind !== 'sparse') throw new Error('not sparse');
      const codes = Uint8Array.from(left.values, (_, index) => (index * 37) % 2 ** bits);
      const scales = Float32Array.from({ length: 13 }, (_, row) => Math.f16round(0.1 + row / 16));
      const grid = {
        kind: 'sparseGrid',
        outFeatures: 13,
        inFeatures: 9,
        bits,
        mask: left.mask,
        codes,
        scales,
      } as const;
      const compressed = { ...others, left: grid };
      const model = await compressedModel(folder.path, compressed, options);
      expect(await distance(model, compressed, options === HALF)).toBeLessThan(limit);
      const stored = model.proto.graph!.initializer.filter(({ name }) => /left.*_(mask|codes|scales)$/.test(name));
      expect(8 * storedBytes(stored)).toBe(storageBits(grid));
    }
  });

  it('refuses values that do not fit the mask, and values that float16 does not hold', async () => {
    const compressed = randomDictionary({ outFeatures: 4, inFeatures: 6, atomCount: 3 }, seededRandom(6));
    if (compressed.left.kind !== 'sparse') throw new Error('not sparse');
    const short = { ...compressed, left: { ...compressed.left, values: compressed.left.values.slice(1) } };
    await expect(compressedModel(folder.path, short, EXACT)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const fine = { ...compressed, left: { ...compressed.left, values: compressed.left.values.map(() => 0.1) } };
    await expect(compressedModel(folder.path, fine, EXACT)).rejects.toMatchObject({ code: 'SOLVER_FAILED' });
  });
});
