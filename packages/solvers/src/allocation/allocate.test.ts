import { describe, expect, it } from 'vitest';
import { factorStorageBits } from '../lowRank/factorStorageBits.ts';
import type { RankAllocation } from '../solver.ts';
import { randomActivations, randomWeight, statisticsOf } from '../testData.ts';
import { allocate } from './allocate.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';
import { whitenedSpectrum } from './whitenedSpectrum.ts';

const ALLOCATIONS: readonly RankAllocation[] = ['uniform', 'pooled', 'truncationLoss'];

function siteOf(name: string, outFeatures: number, inFeatures: number, decay: number, type = 'q'): SiteSpectrum {
  const count = Math.min(outFeatures, inFeatures);
  const singularValues = Float64Array.from({ length: count }, (_, index) => Math.exp(-decay * index));
  const energy = singularValues.reduce((sum, value) => sum + value * value, 0);
  return { name, type, outFeatures, inFeatures, singularValues, energy };
}

const bitsOf = (site: SiteSpectrum, choice: SiteChoice, bits = 16): number =>
  choice === 'dense'
    ? 16 * site.outFeatures * site.inFeatures
    : factorStorageBits(site, choice.rank, { bits, groupSize: 32 });

const errorOf = ({ singularValues, energy }: SiteSpectrum, choice: SiteChoice): number =>
  choice === 'dense' ? 0 : singularValues.slice(choice.rank).reduce((sum, value) => sum + value * value, 0) / energy;

const total = (sites: readonly SiteSpectrum[], choices: ReadonlyMap<string, SiteChoice>, bits = 16): number =>
  sites.reduce((sum, site) => sum + bitsOf(site, choices.get(site.name)!, bits), 0);

const mixed = [
  siteOf('a', 48, 64, 0.02, 'q'),
  siteOf('b', 48, 64, 0.3, 'q'),
  siteOf('c', 64, 100, 0.1, 'up'),
  siteOf('d', 100, 64, 0, 'down'),
  siteOf('e', 16, 64, 0.05, 'k'),
];
const fullBits = 16 * mixed.reduce((sum, { outFeatures, inFeatures }) => sum + outFeatures * inFeatures, 0);

describe.each(ALLOCATIONS)('%s', allocation => {
  it.each([
    [0, 16],
    [0.2, 16],
    [0.55, 16],
    [0.8, 16],
    [0.75, 4],
    [0.9, 3],
  ])('stays within the budget and near to it: ratio %d at %i bits', (ratio, bits) => {
    const choices = allocate(allocation, mixed, { ratio, bits, groupSize: 32 });
    expect([...choices.keys()]).toEqual(mixed.map(({ name }) => name));
    const stored = total(mixed, choices, bits);
    const budget = (1 - ratio) * fullBits;
    expect(stored).toBeLessThanOrEqual(budget);
    // Nothing more fits anywhere.
    for (const site of mixed) {
      const choice = choices.get(site.name)!;
      if (choice === 'dense' || choice.rank === Math.min(site.outFeatures, site.inFeatures)) continue;
      const next = { rank: choice.rank + 1 };
      if (bitsOf(site, next, bits) >= bitsOf(site, 'dense')) continue;
      expect(stored - bitsOf(site, choice, bits) + bitsOf(site, next, bits)).toBeGreaterThan(budget);
    }
  });

  it('does not depend on the scale of the Grams', () => {
    const scaled = mixed.map(site => ({
      ...site,
      singularValues: site.singularValues.map(value => 1024 * value),
      energy: 1024 ** 2 * site.energy,
    }));
    expect(allocate(allocation, scaled, { ratio: 0.4 })).toEqual(allocate(allocation, mixed, { ratio: 0.4 }));
  });

  it('treats equal sites alike, but for what is left over', () => {
    const equal = ['a', 'b', 'c', 'd'].map(name => siteOf(name, 50, 70, 0.1));
    const ranks = [...allocate(allocation, equal, { ratio: 0.4 }).values()].map(choice =>
      choice === 'dense' ? Number.POSITIVE_INFINITY : choice.rank,
    );
    // .6 x 3500 / 120 = 17.5: two get 17 and two get 18.
    expect(ranks.toSorted((first, second) => first - second)).toEqual([17, 17, 18, 18]);
  });

  it('leaves everything dense where nothing is to be removed', () => {
    const choices = allocate(allocation, mixed, { ratio: 0 });
    for (const site of mixed) expect(choices.get(site.name)).toBe('dense');
  });

  it('refuses a ratio that one component each does not meet', () => {
    expect(() => allocate(allocation, mixed, { ratio: 0.999 })).toThrow(/ratio \(0.999\).*at most 0\.9/);
    expect(() => allocate(allocation, mixed, { ratio: 0.999 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });

  it('survives sites of zeros and of full rank 1', () => {
    const zeros = { ...siteOf('z', 20, 30, 0), singularValues: new Float64Array(20), energy: 0 };
    const sites = [zeros, siteOf('a', 20, 30, 0.1), siteOf('row', 1, 40, 0), siteOf('column', 40, 1, 0)];
    const choices = allocate(allocation, sites, { ratio: 0.4 });
    expect(total(sites, choices)).toBeLessThanOrEqual(0.6 * 16 * (600 + 600 + 40 + 40));
    expect(choices.size).toBe(4);
  });
});

describe('pooled', () => {
  it('comes near to the best of all choices, found by dynamic programming', () => {
    const decays = [0.3, 0.1, 0.02, 0.5, 0.05, 0.15, 0, 0.4, 0.08, 0.2, 0.03, 0.6];
    const sites = decays.map((decay, index) => siteOf(`site${index}`, 12 + (index % 3), 18, decay));
    const elements = sites.reduce((sum, { outFeatures, inFeatures }) => sum + outFeatures * inFeatures, 0);
    for (const ratio of [0.2, 0.4, 0.6]) {
      const budget = Math.floor((1 - ratio) * elements);
      // least[values]: the least error with so many stored values.
      let least = new Float64Array(budget + 1);
      for (const site of sites) {
        const next = new Float64Array(budget + 1).fill(Number.POSITIVE_INFINITY);
        const choices: SiteChoice[] = [
          'dense',
          ...Array.from({ length: site.outFeatures }, (_, index) => ({ rank: index + 1 })),
        ];
        for (const choice of choices) {
          const values = bitsOf(site, choice) / 16;
          for (let used = values; used <= budget; used++) {
            next[used] = Math.min(next[used]!, least[used - values]! + errorOf(site, choice));
          }
        }
        least = next;
      }
      const choices = allocate('pooled', sites, { ratio });
      const error = sites.reduce((sum, site) => sum + errorOf(site, choices.get(site.name)!), 0);
      expect(error).toBeGreaterThanOrEqual(least[budget]! - 1e-12);
      expect(error).toBeLessThan(1.1 * least[budget]!);
    }
  });

  it('loses less in all than the uniform ratio, and keeps flat spectra dense', () => {
    const errorBy = (allocation: RankAllocation) => {
      const choices = allocate(allocation, mixed, { ratio: 0.3 });
      return mixed.reduce((sum, site) => sum + errorOf(site, choices.get(site.name)!), 0);
    };
    expect(errorBy('pooled')).toBeLessThan(0.8 * errorBy('uniform'));
    const sites = [siteOf('flat', 40, 40, 0), siteOf('steep', 40, 40, 1), siteOf('steep2', 40, 40, 1)];
    expect(allocate('pooled', sites, { ratio: 0.3 }).get('flat')).toBe('dense');
  });
});

describe('truncationLoss', () => {
  it('removes in proportion to 1 / (1 + log of the relative loss), as computed by hand', () => {
    // Losses of one type in the ratio e^2: shares 1 and 1/3, so ratios .3 x 1.5 and .3 x .5.
    const low = siteOf('low', 1000, 1000, 0.001);
    const high = { ...low, name: 'high', singularValues: low.singularValues.map(value => value * Math.exp(2)) };
    const choices = allocate('truncationLoss', [low, { ...high, energy: low.energy * Math.exp(4) }], { ratio: 0.3 });
    // Ranks (1 - ratio) 500: 275 and 425.
    expect(choices.get('low')).toEqual({ rank: 275 });
    expect(choices.get('high')).toEqual({ rank: 425 });
  });

  it('keeps the budget of each type', () => {
    const small = siteOf('small', 100, 100, 0.1, 'k');
    const large = { ...siteOf('large', 100, 100, 0.01, 'v'), name: 'large' };
    const choices = allocate('truncationLoss', [small, large], { ratio: 0.4 });
    expect(choices.get('small')).toEqual({ rank: 30 });
    expect(choices.get('large')).toEqual({ rank: 30 });
  });
});

describe('whitenedSpectrum', () => {
  it.each([
    [9, 20],
    [20, 9],
  ])('has the energy of the outputs: %i x %i', async (rows, columns) => {
    const weight = randomWeight(rows, columns, 4);
    const activations = randomActivations(60, columns);
    const { singularValues, energy } = await whitenedSpectrum(weight, statisticsOf(activations));
    let expected = 0;
    for (let token = 0; token < 60; token++) {
      for (let row = 0; row < rows; row++) {
        let output = 0;
        for (let input = 0; input < columns; input++) {
          output += weight.data[row * columns + input]! * activations.data[token * columns + input]!;
        }
        expected += output ** 2;
      }
    }
    expect(energy / expected).toBeCloseTo(1, 6);
    expect(singularValues.length).toBe(9);
    expect([...singularValues].sort((first, second) => second - first)).toEqual([...singularValues]);
  });

  it('is that of the weight without statistics', async () => {
    const { singularValues } = await whitenedSpectrum({ rows: 2, columns: 2, data: Float32Array.of(0, 3, 4, 0) }, null);
    expect([...singularValues].map(value => Math.round(value * 1e9) / 1e9)).toEqual([4, 3]);
  });
});
