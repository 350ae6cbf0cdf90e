import { expect, it } from 'vitest';
import { predictLoss } from './predictLoss.ts';

const measured = [
  { error: 0.01, loss: 0.002 },
  { error: 0.16, loss: 0.128 },
];

it('goes through what was measured, in any order', () => {
  for (const { error, loss } of measured) {
    expect(predictLoss(measured, error)).toBeCloseTo(loss, 12);
    expect(predictLoss(measured.toReversed(), error)).toBeCloseTo(loss, 12);
  }
});

it('is a power of the error between and above, in proportion below', () => {
  // 64 times the loss at 16 times the error: a power of 1.5.
  expect(predictLoss(measured, 0.04)).toBeCloseTo(0.002 * 8, 12);
  expect(predictLoss(measured, 0.64)).toBeCloseTo(0.128 * 8, 12);
  expect(predictLoss(measured, 0.0025)).toBeCloseTo(0.0005, 12);
});

it('never falls with the error, whatever noise was measured', () => {
  const noisy = [
    { error: 0.01, loss: 0.002 },
    { error: 0.1, loss: 0.001 },
  ];
  const losses = [0.001, 0.005, 0.009, 0.02, 0.05, 0.1, 0.5].map(error => predictLoss(noisy, error));
  for (let at = 1; at < losses.length; at++) expect(losses[at]).toBeGreaterThan(losses[at - 1]!);
});

it('is in proportion to the error where one alone was measured, and nothing where nothing was lost', () => {
  expect(predictLoss([{ error: 0.1, loss: 0.01 }], 0.3)).toBeCloseTo(0.03, 12);
  expect(predictLoss([{ error: 0.1, loss: 0 }], 0.3)).toBe(0);
  expect(predictLoss([], 0.3)).toBe(0);
  expect(predictLoss(measured, 0)).toBe(0);
});
