import { uniformNumbers } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { type SamplingOptions, sampleToken } from './sampleToken.ts';

/** Logits whose softmax is these probabilities. */
const logitsOf = (...probabilities: readonly number[]): Float32Array => Float32Array.from(probabilities, Math.log);

/** How often each id comes when `uniform` walks evenly over [0, 1). */
function shares(logits: ArrayLike<number>, options: SamplingOptions, steps = 10_000): number[] {
  const counts = new Array<number>(logits.length).fill(0);
  for (let step = 0; step < steps; step++) counts[sampleToken(logits, options, (step + 0.5) / steps)]!++;
  return counts.map(count => count / steps);
}

function expectShares(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [id, share] of expected.entries()) expect(actual[id]).toBeCloseTo(share, 3);
}

describe('sampleToken', () => {
  const logits = logitsOf(0.1, 0.4, 0.2, 0.3);

  it('takes the most likely token at temperature 0, the lowest of equals', () => {
    expect(sampleToken(logits, { temperature: 0 }, 0.999)).toBe(1);
    expect(sampleToken([1, 3, 3, 2], { temperature: 0 }, 0.999)).toBe(1);
  });

  it('draws each token as often as softmax says', () => {
    expectShares(shares(logits, { temperature: 1 }), [0.1, 0.4, 0.2, 0.3]);
  });

  it('squares the odds at temperature 1/2', () => {
    expectShares(shares(logits, { temperature: 0.5 }), [1 / 30, 16 / 30, 4 / 30, 9 / 30]);
  });

  it('cuts to top-k and renormalises', () => {
    expectShares(shares(logits, { temperature: 1, topK: 2 }), [0, 4 / 7, 0, 3 / 7]);
    expectShares(shares(logits, { temperature: 1, topK: 1 }), [0, 1, 0, 0]);
    expectShares(shares(logits, { temperature: 1, topK: 99 }), [0.1, 0.4, 0.2, 0.3]);
  });

  it('keeps exactly k of equals, the lowest ids', () => {
    expectShares(shares([0, 5, 5, 5], { temperature: 1, topK: 2 }), [0, 0.5, 0.5, 0]);
  });

  it('cuts to the fewest tokens that reach top-p', () => {
    expectShares(shares(logits, { temperature: 1, topP: 0.65 }), [0, 4 / 7, 0, 3 / 7]);
    expectShares(shares(logits, { temperature: 1, topP: 0.75 }), [0, 4 / 9, 2 / 9, 3 / 9]);
    expectShares(shares(logits, { temperature: 1, topP: 0.01 }), [0, 1, 0, 0]);
  });

  it('takes top-p of what top-k left', () => {
    // Of the two left, 4/7 is below .6: both stay. Of the whole vocabulary the first alone would not do either, but .5 shows it.
    expectShares(shares(logits, { temperature: 1, topK: 2, topP: 0.6 }), [0, 4 / 7, 0, 3 / 7]);
    expectShares(shares(logits, { temperature: 1, topK: 2, topP: 0.5 }), [0, 1, 0, 0]);
    expectShares(shares(logits, { temperature: 1, topP: 0.5 }), [0, 4 / 7, 0, 3 / 7]);
  });

  it('applies the temperature before top-p', () => {
    // At temperature 1/2 the first token has 16/30, which is enough for .5.
    expectShares(shares(logits, { temperature: 0.5, topP: 0.5 }), [0, 1, 0, 0]);
  });

  it('agrees with a naive nucleus on a larger vocabulary', () => {
    const uniform = uniformNumbers(7);
    const wide = Float32Array.from({ length: 600 }, () => 6 * uniform() - 3);
    const ranked = [...wide.entries()].map(([id, logit]) => ({ id, weight: Math.exp(logit) }));
    ranked.sort((left, right) => right.weight - left.weight);
    const total = ranked.reduce((sum, { weight }) => sum + weight, 0);
    let sum = 0;
    const expected = new Set<number>();
    for (const { id, weight } of ranked) {
      if (sum >= 0.3 * total) break;
      expected.add(id);
      sum += weight;
    }
    const seen = new Set<number>();
    for (let step = 0; step < 2000; step++) {
      seen.add(sampleToken(wide, { temperature: 1, topP: 0.3 }, (step + 0.5) / 2000));
    }
    expect([...seen].filter(id => !expected.has(id))).toEqual([]);
    expect(seen.size).toBe(expected.size);
  });

  it('never draws a masked token and ends at the edges of [0, 1)', () => {
    const masked = [Number.NEGATIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY];
    expect(sampleToken(masked, { temperature: 1 }, 0)).toBe(1);
    expect(sampleToken(masked, { temperature: 1 }, 1 - 2 ** -32)).toBe(2);
  });

  it('refuses what no token can be drawn from, and leaves the logits alone', () => {
    const options = { temperature: 1 };
    const refused = expect.objectContaining({ code: 'NON_FINITE_ACTIVATION' });
    expect(() => sampleToken([0, Number.NaN], options, 0.5)).toThrow(refused);
    expect(() => sampleToken([0, Number.POSITIVE_INFINITY], options, 0.5)).toThrow(refused);
    expect(() => sampleToken([Number.NEGATIVE_INFINITY], options, 0.5)).toThrow(refused);
    const before = logits.slice();
    sampleToken(logits, { temperature: 0.7, topK: 3, topP: 0.9 }, 0.5);
    expect(logits).toEqual(before);
  });
});

describe('uniformNumbers', () => {
  it('gives the published sequence of mulberry32', () => {
    // The 32-bit outputs of seed 0, computed with the reference C code.
    const next = uniformNumbers(0);
    const words = [next(), next(), next()].map(value => value * 2 ** 32);
    expect(words).toEqual([1144304738, 1416247, 958946056]);
  });

  it('differs by seed and is even', () => {
    const [one, other] = [uniformNumbers(1), uniformNumbers(2)];
    expect(one()).not.toBe(other());
    let sum = 0;
    for (let count = 0; count < 10_000; count++) sum += one();
    expect(Math.abs(sum / 10_000 - 0.5)).toBeLessThan(0.01);
  });
});
