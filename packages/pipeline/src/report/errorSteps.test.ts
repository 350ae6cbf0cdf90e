import { expect, it } from 'vitest';
import { errorSteps, stepColor } from './errorSteps.ts';

it.each<[number[], number[]]>([
  [[], []],
  [[0, Number.NaN], []],
  [[0.05], [0.05]],
  [
    [0.055, 0.11],
    [0.05, 0.06, 0.08, 0.1],
  ],
  [
    [0.013, 0.9],
    [0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7],
  ],
  [
    [0.001, 0, 12],
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
  ],
  [
    [1e-16, 1],
    [1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1],
  ],
])('%j gets the edges %j', (values, edges) => {
  expect(errorSteps(values)).toEqual(edges);
});

it('spreads few steps over all colours', () => {
  expect([0, 1, 2].map(step => stepColor(step, 3))).toEqual(['var(--heat-0)', 'var(--heat-6)', 'var(--heat-12)']);
  expect(stepColor(0, 1)).toBe('var(--heat-6)');
});
