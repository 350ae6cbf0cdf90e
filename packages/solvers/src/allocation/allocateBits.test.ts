import { describe, expect, it } from 'vitest';
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

describe('with a last point without loss', () => {
  const dictionary = [4, 8, 12, 15].map(bits => ({ bits, loss: 4 ** -(bits / 4) }));
  const site = { elements: 1000, sensitivity: 1, curve: [...dictionary, { bits: 16, loss: 0 }] };
  const bounds = { least: 4, most: 16 };

  it('leaves sites as they are where that saves most, and spends the budget', () => {
    const bits = allocateBits([site, { ...site, sensitivity: 1e6 }, { ...site, elements: 500 }], 12, bounds);
    expect(bits[1]).toBe(16);
    expect((1000 * bits[0]! + 1000 * bits[1]! + 500 * bits[2]!) / 2500).toBeCloseTo(12, 6);
    for (const own of bits) expect(own).toBeGreaterThanOrEqual(4);
  });

  it('gives a site no more than its format takes, or all of it, and the rest to others', () => {
    const narrow = { ...site, formatBits: 6.5 };
    const bits = allocateBits(
      [narrow, site, { ...narrow, sensitivity: 1e6 }, { ...narrow, sensitivity: 4 }],
      10,
      bounds,
    );
    expect(bits[2]).toBe(16);
    for (const own of [bits[0]!, bits[3]!]) expect(own <= 6.5 || own === 16).toBe(true);
    expect(bits.reduce((sum, own) => sum + own, 0) / 4).toBeCloseTo(10, 6);
  });

  it('comes near to the best of all choices', () => {
    const steep = { ...site, curve: [4, 8, 12, 15].map(own => ({ bits: own, loss: 9 ** -(own / 4) })) };
    const sites = [site, { ...site, sensitivity: 5 }, { ...steep, sensitivity: 40 }];
    const lossAt = ({ sensitivity, curve }: typeof site, bits: number): number => {
      if (bits === 16 && curve.at(-1)!.loss === 0) return 0;
      const base = curve === steep.curve ? 9 : 4;
      return sensitivity * base ** -(bits / 4);
    };
    const loss = (bits: readonly number[]) => sites.reduce((sum, own, index) => sum + lossAt(own, bits[index]!), 0);
    let best = Number.POSITIVE_INFINITY;
    for (let first = 4; first <= 16; first += 0.25)
      for (let second = 4; second <= 16; second += 0.25) {
        const third = 33 - first - second;
        if (third >= 4 && third <= 16) best = Math.min(best, loss([first, second, third]));
      }
    expect(loss(allocateBits(sites, 11, bounds))).toBeLessThan(1.02 * best);
  });
});
