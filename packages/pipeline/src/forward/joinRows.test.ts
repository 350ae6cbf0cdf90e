import { expect, it } from 'vitest';
import { joinRows } from './joinRows.ts';

it('puts the rows of all runs under each other, whatever their leading sizes', () => {
  const run = (dims: number[], ...values: number[]) => ({
    x: { type: 'float32' as const, dims, data: Float32Array.from(values) },
  });
  const joined = joinRows([run([1, 2, 3], 1, 2, 3, 4, 5, 6), run([3], 7, 8, 9), run([0, 3])]);
  expect(joined).toEqual({
    x: { type: 'float32', dims: [3, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9) },
  });
  const alone = run([1, 3], 1, 2, 3);
  expect(joinRows([alone])).toBe(alone);
});
