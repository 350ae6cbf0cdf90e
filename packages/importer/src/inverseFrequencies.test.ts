import { expect, test } from 'vitest';
import { inverseFrequencies } from './inverseFrequencies.ts';

test('falls geometrically from 1 by theta', () => {
  const frequencies = inverseFrequencies({ size: 8, theta: 10000, scaling: { type: 'default' } });
  expect(frequencies).toHaveLength(4);
  for (const [pair, expected] of [1, 0.1, 0.01, 0.001].entries()) expect(frequencies[pair]).toBeCloseTo(expected, 12);
});

test('linear scaling divides all of them', () => {
  const frequencies = inverseFrequencies({ size: 4, theta: 100, scaling: { type: 'linear', factor: 4 } });
  expect([...frequencies]).toEqual([0.25, 0.025]);
});

test('llama3 scaling keeps short waves, divides long ones and blends between', () => {
  // Frequencies 1, 0.1, 0.01, 0.001 have waves of 6.28, 62.8, 628 and 6283 tokens. With an original context of 1256.637
  // (400 pi) tokens, waves under 314.159 (context / 4) stay, those over 1256.637 (context / 1) are divided by 8, and 628.3
  // (2 turns, a third of the way from 1 to 4) blends: 0.01 * (1/3 + 2/3 / 8) = 0.0041667.
  const frequencies = inverseFrequencies({
    size: 8,
    theta: 10000,
    scaling: {
      type: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 400 * Math.PI,
    },
  });
  for (const [pair, expected] of [1, 0.1, 0.01 * (5 / 12), 0.001 / 8].entries()) {
    expect(frequencies[pair]).toBeCloseTo(expected, 12);
  }
});

test('longrope divides each by its own factor', () => {
  const scaling = { type: 'longrope', factors: [1, 2], magnitude: 1.2, originalContextLength: 64 } as const;
  expect([...inverseFrequencies({ size: 4, theta: 100, scaling })]).toEqual([1, 0.05]);
});
