import { expect, it } from 'vitest';
import { productParts } from './productParts.ts';

it('leaves small products whole', () => {
  expect(productParts(512, 520, 120)).toEqual([{ row: 0, rows: 512, column: 0, columns: 520 }]);
});

it.each([
  [2048, 2048, 2048, 8],
  [300, 300, 1000, 1],
  [512, 128, 1000, 2],
  [128, 700, 1000, 2],
  [100_000, 64, 64, 8],
])('cuts the longer side of %i x %i x %i into %i parts that cover the result', (m, n, k, count) => {
  const parts = productParts(m, n, k);
  expect(parts.length).toBe(count);
  const covered = new Uint8Array(Math.max(m, n));
  for (const { row, rows, column, columns } of parts) {
    expect(m >= n ? [column, columns] : [row, rows]).toEqual([0, Math.min(m, n)]);
    const start = m >= n ? row : column;
    for (let at = start; at < start + (m >= n ? rows : columns); at++) covered[at]!++;
  }
  expect(covered.every(times => times === 1)).toBe(true);
});
