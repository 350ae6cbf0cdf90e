import { uniformNumbers } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { benjaminiHochberg } from './benjaminiHochberg.ts';
import { mcnemarTest } from './mcnemarTest.ts';
import { pairedBootstrap } from './pairedBootstrap.ts';

describe('mcnemarTest', () => {
  // binomtest of SciPy 1.17.
  it.each([
    [1, 9, 0.021484375],
    [12, 25, 0.04703102743951604],
    [3, 0, 0.25],
    [59, 6, 4.964650327128616e-12],
    [400, 500, 0.0009564441369189373],
    [3200, 3000, 0.011488253770871584],
    [5, 5, 1],
    [0, 0, 1],
  ])('%i lost, %i gained', (lost, gained, expected) => {
    expect(mcnemarTest(lost, gained) / expected).toBeCloseTo(1, 9);
    expect(mcnemarTest(gained, lost)).toBe(mcnemarTest(lost, gained));
  });

  it('counts the ways of flipping coins', () => {
    for (let flips = 1; flips <= 10; flips++) {
      for (let lost = 0; lost <= flips; lost++) {
        let asFar = 0;
        for (let coins = 0; coins < 2 ** flips; coins++) {
          const heads = coins.toString(2).replaceAll('0', '').length;
          if (Math.abs(2 * heads - flips) >= Math.abs(2 * lost - flips)) asFar++;
        }
        expect(mcnemarTest(lost, flips - lost)).toBeCloseTo(asFar / 2 ** flips, 12);
      }
    }
  });
});

describe('benjaminiHochberg', () => {
  it('adjusts the fifteen p-values of the paper, of which 4 are significant at .05', () => {
    const paper = [1e-4, 4e-4, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719];
    const adjusted = benjaminiHochberg([...paper, 0.6528, 0.759, 1]);
    expect(adjusted.filter(value => value <= 0.05)).toHaveLength(4);
    // false_discovery_control of SciPy 1.17.
    const expected = [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.0638571429, 0.0638571429, 0.0645, 0.0765, 0.486];
    for (const [index, value] of expected.entries()) expect(adjusted[index]).toBeCloseTo(value, 9);
  });

  it('keeps the order they came in, equal ones equal, and none of none', () => {
    const given = [0.01, 0.04, 0.03, 0.002, 0.5, 0.03, 1];
    const expected = [0.035, 0.056, 0.0525, 0.014, 0.5833333333, 0.0525, 1];
    for (const [index, value] of benjaminiHochberg(given).entries()) expect(value).toBeCloseTo(expected[index]!, 9);
    expect(given).toEqual([0.01, 0.04, 0.03, 0.002, 0.5, 0.03, 1]);
    expect(benjaminiHochberg([0.2])).toEqual([0.2]);
    expect(benjaminiHochberg([])).toEqual([]);
  });
});

describe('pairedBootstrap', () => {
  const ones = (count: number) => new Array<number>(count).fill(1);

  it('is the distribution of all resamples of three clusters', () => {
    const [differences, counts] = [
      [2, -1, 4],
      [1, 2, 3],
    ];
    const means: number[] = [];
    for (const a of [0, 1, 2]) {
      for (const b of [0, 1, 2]) {
        for (const c of [0, 1, 2]) {
          const drawn = [a, b, c];
          const sum = (values: readonly number[]) => drawn.reduce((total, index) => total + values[index]!, 0);
          means.push(sum(differences!) / sum(counts!));
        }
      }
    }
    const notAbove = means.filter(mean => mean <= 0).length / means.length;
    const result = pairedBootstrap(differences!, counts!, { seed: 3, resamples: 600_000 });
    expect(result.difference).toBeCloseTo(5 / 6, 12);
    expect(result.pValue).toBeCloseTo(2 * notAbove, 2);
    expect(means).toContain(result.low);
    expect([result.low, result.high]).toEqual([Math.min(...means), Math.max(...means)]);
  });

  it('agrees with the normal distribution over many clusters', () => {
    const uniform = uniformNumbers(7);
    const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
    const differences = Array.from({ length: 400 }, () => 0.1 + normal());
    const mean = differences.reduce((sum, value) => sum + value, 0) / 400;
    const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / 400;
    const { low, high } = pairedBootstrap(differences, ones(400), { seed: 0 });
    expect((low - mean) / deviation).toBeGreaterThan(-2.06);
    expect((low - mean) / deviation).toBeLessThan(-1.86);
    expect((high - mean) / deviation).toBeGreaterThan(1.86);
    expect((high - mean) / deviation).toBeLessThan(2.06);
  });

  it('rejects a true null hypothesis about one time in twenty', () => {
    const uniform = uniformNumbers(11);
    let rejected = 0;
    for (let trial = 0; trial < 400; trial++) {
      const differences = Array.from({ length: 60 }, () => uniform() - 0.5);
      if (pairedBootstrap(differences, ones(60), { seed: trial, resamples: 400 }).pValue < 0.05) rejected++;
    }
    expect(rejected / 400).toBeGreaterThan(0.02);
    expect(rejected / 400).toBeLessThan(0.09);
  });

  it('repeats by seed, mirrors by sign, and does not see clusters without members', () => {
    const differences = [0.3, -0.1, 0.25, 0.4, -0.2, 0.1, 0.05];
    const result = pairedBootstrap(differences, ones(7), { seed: 5 });
    expect(pairedBootstrap(differences, ones(7), { seed: 5 })).toEqual(result);
    expect(pairedBootstrap(differences, ones(7), { seed: 6 })).not.toEqual(result);
    expect(pairedBootstrap([0, ...differences], [0, ...ones(7)], { seed: 5 })).toEqual(result);
    const mirrored = pairedBootstrap(
      differences.map(value => -value),
      ones(7),
      { seed: 5 },
    );
    expect(mirrored.pValue).toBe(result.pValue);
    expect(mirrored.high).toBeCloseTo(-result.low, 12);
  });

  it('claims no more than the signs of few clusters can show', () => {
    expect(pairedBootstrap([0.5], [9], { seed: 0 })).toMatchObject({ pValue: 1 });
    expect(pairedBootstrap([0.5, 0.4, 0.6], ones(3), { seed: 0 }).pValue).toBe(0.25);
    expect(pairedBootstrap([0, 0, 0, 0], ones(4), { seed: 0 })).toMatchObject({ difference: 0, pValue: 1 });
    expect(pairedBootstrap(ones(40), ones(40), { seed: 0 }).pValue).toBeCloseTo(2 / 10_001, 12);
  });
});
