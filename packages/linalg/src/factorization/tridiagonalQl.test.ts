import { expect, it } from 'vitest';
import { tridiagonalQl } from './tridiagonalQl.ts';

it('solves two rows by hand', () => {
  const diagonal = Float64Array.of(2, 2);
  const vectors = Float64Array.of(1, 0, 0, 1);
  tridiagonalQl(diagonal, Float64Array.of(1, 0), vectors);
  const largest = diagonal[0]! > diagonal[1]! ? 0 : 1;
  expect(diagonal[largest]).toBeCloseTo(3, 14);
  expect(diagonal[1 - largest]).toBeCloseTo(1, 14);
  expect(vectors[2 * largest]! * vectors[2 * largest + 1]!).toBeCloseTo(0.5, 14);
});

it('says so when it does not converge', () => {
  const run = () => tridiagonalQl(Float64Array.of(1, Number.NaN, 1), Float64Array.of(1, 1, 0), new Float64Array(9));
  expect(run).toThrow('eigenvalue 0 of 3 did not converge');
});
