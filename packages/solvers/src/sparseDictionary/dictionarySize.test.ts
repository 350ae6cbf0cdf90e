import { describe, expect, it } from 'vitest';
import { dictionarySize } from './dictionarySize.ts';

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

  it('refuses what one atom does not meet', () => {
    expect(() => dictionarySize({ outFeatures: 4, inFeatures: 4 }, { ratio: 0.9, atomsPerNonzero: 2 })).toThrow(
      /ratio/,
    );
  });
});
