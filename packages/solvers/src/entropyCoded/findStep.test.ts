import { expect, it } from 'vitest';
import { findStep } from './findStep.ts';

it.each([0.5, 1.7, 3, 6.2])('finds the step of %s bits in at most six calls', async target => {
  let calls = 0;
  // A rate that bends at low bits, as that of integer codes does.
  const rateAt = async (step: number): Promise<number> => {
    calls++;
    return Math.log2(1 + (4 / step) ** 1.3) / 1.3 + 0.05;
  };
  const step = await findStep(target, 4 * 2 ** -target, rateAt);
  expect(Math.abs((await rateAt(step)) - target)).toBeLessThan(0.01);
  expect(calls - 1).toBeLessThanOrEqual(6);
});

it('gives the nearest step where no step reaches the target', async () => {
  const step = await findStep(1, 1, async own => 2 + 1 / (1 + own));
  expect(step).toBeGreaterThan(1);
  expect(Number.isFinite(step)).toBe(true);
});
