import { expect, it } from 'vitest';
import { formatBytes } from './formatBytes.ts';
import { formatFigure } from './formatFigure.ts';

it.each<[number | null, number, string]>([
  [null, 4, '–'],
  [Number.NaN, 4, '–'],
  [Number.POSITIVE_INFINITY, 4, '∞'],
  [0, 4, '0'],
  [12.3456, 4, '12.35'],
  [12, 4, '12.00'],
  [0.0123456, 3, '0.0123'],
  [-0.5, 3, '−0.500'],
  [1234.56, 4, '1,235'],
  [987654, 4, '987,654'],
  [1234567, 4, '1.23 × 10⁶'],
  [0.0000456, 3, '4.56 × 10⁻⁵'],
  [3e22, 3, '3.00 × 10²²'],
])('formatFigure(%d, %d) = %s', (value, digits, text) => {
  expect(formatFigure(value, digits)).toBe(text);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.00 kB'],
  [12_345, '12.3 kB'],
  [3_145_728, '3.15 MB'],
  [999_999, '1.00 MB'],
  [7_000_000_000, '7.00 GB'],
])('formatBytes(%d) = %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
