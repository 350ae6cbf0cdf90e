import { describe, expect, it } from 'vitest';
import { dictionaryFormat } from './dictionaryFormat.ts';
import { dictionarySize, dictionaryStorageBits, leastRatio } from './dictionarySize.ts';

describe('dictionarySize', () => {
  it('spends the budget on atoms, mask and nonzeros, whatever their relation', () => {
    for (const [outFeatures, inFeatures] of [
      [384, 128],
      [128, 384],
      [33, 65],
      [30, 24],
    ] as const) {
      for (const rho of [1, 1.2, 2, 4, 16]) {
        const { atomCount, nonzeroCount } = dictionarySize(
          { outFeatures, inFeatures },
          { ratio: 0.3, atomsPerNonzero: rho },
        );
        const mask = 16 * Math.ceil((outFeatures * atomCount) / 16);
        const bits = 16 * inFeatures * atomCount + mask + 16 * nonzeroCount;
        expect(nonzeroCount).toBeLessThanOrEqual(outFeatures * atomCount);
        expect(bits).toBe(16 * Math.floor(0.7 * outFeatures * inFeatures));
      }
    }
  });

  it('keeps the number of atoms per nonzero where nothing bounds it', () => {
    const { atomCount, nonzeroCount } = dictionarySize(
      { outFeatures: 512, inFeatures: 512 },
      { ratio: 0.2, atomsPerNonzero: 2 },
    );
    expect(nonzeroCount / 512 / atomCount).toBeCloseTo(0.5, 1);
    // 0.8 16 512 512 / (16 512 + 512 + 8 512)
    expect(atomCount).toBe(262);
  });

  it('says the least that a format can remove, and takes it', () => {
    const shape = { outFeatures: 172, inFeatures: 64 };
    expect(leastRatio(shape, dictionaryFormat({ bits: 16, groupSize: 'channel' }))).toBe(0);
    const format = dictionaryFormat({ bits: 4, atomBits: 4, groupSize: 'channel' });
    const least = leastRatio(shape, format);
    expect(least).toBe(0.574);
    const { atomCount, nonzeroCount } = dictionarySize(shape, { ratio: least, atomsPerNonzero: 1, format });
    expect([atomCount, nonzeroCount / 64 / 172 > 0.99]).toEqual([64, true]);
    expect(() => dictionaryStorageBits(shape, least - 0.002, format)).toThrow(`ask for ${least} or more`);
  });

  it('refuses what one atom does not meet', () => {
    expect(() => dictionarySize({ outFeatures: 4, inFeatures: 4 }, { ratio: 0.9, atomsPerNonzero: 2 })).toThrow(
      /ratio/,
    );
  });
});
