import { expect, it } from 'vitest';
import { dense } from './dense.ts';

it('rounds to the nearest float16, ties to even, small values too', () => {
  const values = [0.1, -1.5, 65504, 2 ** -24, 1.49 * 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11];
  const { data } = dense({ rows: 1, columns: 7, data: Float32Array.from(values) });
  expect([...data]).toEqual([0.0999755859375, -1.5, 65504, 2 ** -24, 0 + 2 ** -24, 1, 1 + 2 ** -9]);
});

it('names a value that float16 does not hold', () => {
  const data = Float32Array.of(1, 2, 3, -70000);
  expect(() => dense({ rows: 2, columns: 2, data })).toThrow(/-70000 at row 1, column 1.*65504/);
  expect(() => dense({ rows: 2, columns: 2, data })).toThrow(
    expect.objectContaining({ code: 'SOLVER_FAILED', context: { value: -70000, index: 3, limit: 65504 } }),
  );
});
