import { describe, expect, it } from 'vitest';
import { checksum } from './checksum.ts';
import { memberProbabilities, SCALE_COUNT, SHAPE_COUNT, scaleOf, scaleOfSquares } from './codeFamily.ts';
import { codeFrequencies } from './codeFrequencies.ts';

describe('memberProbabilities', () => {
  it('is the rounded normal distribution for the first shape', () => {
    // Standard deviation 1: Phi(.5) - Phi(-.5), Phi(1.5) - Phi(.5), ... from tables of the normal distribution.
    const scale = 18;
    expect(scaleOf(scale)).toBe(1);
    const probabilities = memberProbabilities(0, scale, 4);
    [0.382925, 0.24173, 0.060598, 0.005977, 0.000229].forEach((expected, distance) => {
      expect(probabilities[8 + distance]).toBeCloseTo(expected, 3.5);
      expect(probabilities[8 - distance]).toBeCloseTo(expected, 3.5);
    });
  });

  it('has the variance it says and a higher fourth moment for each later shape', () => {
    let lastMoment = 0;
    for (let shape = 0; shape < SHAPE_COUNT; shape++) {
      const probabilities = memberProbabilities(shape, 36, 8);
      const mean = probabilities.reduce((sum, p, code) => sum + p * code, 0);
      const variance = probabilities.reduce((sum, p, code) => sum + p * (code - 128) ** 2, 0);
      expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
      expect(mean).toBeCloseTo(128, 3);
      // Rounding adds 1/12 to 64; the heaviest tail is cut.
      if (shape < 5) expect(variance / (64 + 1 / 12)).toBeCloseTo(1, 1);
      // Of a cut distribution, so only the first shapes are comparable.
      const moment = probabilities.reduce((sum, p, code) => sum + p * (code - 128) ** 4, 0) / variance ** 2;
      if (shape < 5) expect(moment).toBeGreaterThan(lastMoment);
      lastMoment = moment;
    }
  });

  it('finds the scale of a sum of squares', () => {
    expect(scaleOfSquares(0, 10)).toBe(0);
    for (const scale of [0, 17, 40, 63]) expect(scaleOfSquares(1000 * scaleOf(scale) ** 2, 1000)).toBe(scale);
  });
});

describe('codeFrequencies', () => {
  it('sums to 4096, leaves out only what is rarer than 2^-16, and never changes', () => {
    const all: number[] = [];
    for (const bits of [2, 4, 8]) {
      for (let shape = 0; shape < SHAPE_COUNT; shape++) {
        for (let scale = 0; scale < SCALE_COUNT; scale++) {
          const frequencies = codeFrequencies(shape, scale, bits);
          const probabilities = memberProbabilities(shape, scale, bits);
          const total = frequencies.reduce((sum, frequency) => sum + frequency, 0);
          const wrong = frequencies.findIndex((frequency, code) => frequency > 0 !== probabilities[code]! >= 2 ** -16);
          expect([total, wrong]).toEqual([4096, -1]);
          for (const frequency of frequencies) all.push(frequency & 255, frequency >> 8);
        }
      }
    }
    // The tables are part of the format: a stream written yesterday must decode tomorrow. The sum
    // comes from a program apart from this one, with the exponential of another library.
    expect(checksum(Uint8Array.from(all)).toString(16)).toBe('ebaa45fe');
  });
});
