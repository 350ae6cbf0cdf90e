import { expect, it } from 'vitest';
import { hasSettled } from './hasSettled.ts';

it.each([
  ['nothing', [], 0, false],
  ['too few sweeps', [0.5, 0.5, 0.5], 0, false],
  ['three that moved nothing', [0.5, 0.5, 0.5, 0.5], 0, true],
  ['three that fell by less than 1e-4 together', [0.9, 0.5, 0.49999, 0.49998, 0.49996], 0, true],
  ['three that fell by more', [0.5, 0.49999, 0.49996, 0.49994], 0, false],
  ['a rise', [0.5, 0.5, 0.5, 0.6], 0, false],
  ['a dip that came back', [0.5, 0.4, 0.5, 0.5], 0, false],
  ['sweeps that do not count', [0.5, 0.5, 0.5, 0.5], 1, false],
  ['nothing left', [0.1, 1e-13], 5, true],
] as const)('%s', (_, objectives, from, expected) => {
  expect(hasSettled(objectives, from)).toBe(expected);
});
