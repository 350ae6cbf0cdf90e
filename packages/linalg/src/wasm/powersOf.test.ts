import { expect, it } from 'vitest';
import { FIRST_BYTE, openKernels } from './openKernels.ts';

const COUNT = 4096;

it.each([-0.9, -0.5, -0.3, 0.3, 0.7, 1, 2])('is Math.pow to 7e-5: power %d', power => {
  const { memory, powersOf } = openKernels(FIRST_BYTE + 240 + 8 * COUNT);
  const [valuesAt, resultsAt] = [FIRST_BYTE + 240, FIRST_BYTE + 240 + 4 * COUNT];
  const values = new Float32Array(memory.buffer, valuesAt, COUNT);
  // From 1e-6 to 1000, evenly by their logarithms, and powers of two, where two pieces meet.
  values.set(
    Float32Array.from({ length: COUNT }, (_, at) => (at < 24 ? 2 ** (at - 16) : 10 ** (-6 + (9 * at) / COUNT))),
  );
  powersOf(valuesAt, COUNT, power, FIRST_BYTE, resultsAt);
  const results = new Float32Array(memory.buffer, resultsAt, COUNT);
  const worst = Math.max(...results.map((result, at) => Math.abs(result / values[at]! ** power - 1)));
  expect(worst).toBeLessThan(7e-5);
});
