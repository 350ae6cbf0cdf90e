import { expect, it } from 'vitest';
import { chooseRank } from './chooseRank.ts';

const shape = { outFeatures: 10, inFeatures: 30 };
const float16 = { bits: 16, groupSize: 32 } as const;

it('is the largest rank that fits: 40 halves a component, 300 in all', () => {
  expect(chooseRank(shape, { ...float16, ratio: 0 })).toBe(7);
  expect(chooseRank(shape, { ...float16, ratio: 0.2 })).toBe(6); // 240 = 6 x 40
  expect(chooseRank(shape, { ...float16, ratio: 0.21 })).toBe(5);
  expect(chooseRank(shape, { ...float16, ratio: 0.8666 })).toBe(1);
});

it('refuses a ratio that one component does not reach, and says which it reaches', () => {
  expect(() => chooseRank(shape, { ...float16, ratio: 0.9 })).toThrow(/ratio \(0.9\).*at most 0.866 can be removed/);
});

it('refuses a rank above the smaller side', () => {
  expect(chooseRank(shape, { ...float16, rank: 10 })).toBe(10);
  expect(() => chooseRank(shape, { ...float16, rank: 11 })).toThrow(/rank \(11\): must be 1\.\.10/);
});
