import { expect, it } from 'vitest';
import { leastStep, widenSteps } from './widenSteps.ts';

const weight = { rows: 2, columns: 3, data: Float32Array.of(1, -50, 0, -2, 10, 0) };

it('raises the steps of inputs whose largest weight needs more than 100 codes', () => {
  // At a factor of 1/2 the largest weights are 2, 50 and 0 against 100 codes of half a step.
  expect([...widenSteps([{ weight, step: 0.5 }], Float64Array.of(0.01, 0.5, 2))]).toEqual([0.04, 1, 2]);
});

it('takes the widest need of all weights that share the input', () => {
  const other = { rows: 1, columns: 3, data: Float32Array.of(30, 0, 0) };
  const weights = [
    { weight, step: 0.5 },
    { weight: other, step: 1 },
    { weight, step: 0 },
  ];
  const steps = Float64Array.of(0.01, 0.5, 2);
  expect([...widenSteps(weights, steps)]).toEqual([0.3, 1, 2]);
  expect([...steps]).toEqual([0.01, 0.5, 2]);
});

it('names the factor at which the largest code is 127', () => {
  expect(leastStep(weight, Float64Array.of(1, 1, 1))).toBeCloseTo(50 / 127, 12);
  expect(leastStep(weight, Float64Array.of(1 / 127, 1, 1))).toBeCloseTo(2, 12);
});
