import { expect, it } from 'vitest';
import { formatBytes, formatCount, formatPerplexity, formatSeconds, formatSigned } from './format.ts';
import { table } from './table.ts';

it('formats sizes in decimal units with three significant digits', () => {
  expect([0, 999, 1000, 1234567, 99_960_000, 999_600_000].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.00 kB',
    '1.23 MB',
    '100 MB',
    '1.00 GB',
  ]);
});

it('formats durations, counts, perplexities and differences', () => {
  expect([0.42, 9.96, 83.4, 7384].map(formatSeconds)).toEqual(['0.4s', '10s', '1m 23s', '2h 3m']);
  expect([7, 12345, 5_770_496, 2.5e9].map(formatCount)).toEqual(['7', '12.3 k', '5.77 M', '2.50 G']);
  expect([4.70351, 47.2019, 163_000].map(formatPerplexity)).toEqual(['4.704', '47.20', '1.63e+5']);
  expect([0.01234, -0.5].map(value => formatSigned(value, 3))).toEqual(['+0.012', '-0.500']);
});

it('aligns the first column left and the others right', () => {
  expect(
    table(
      ['site', 'bits'],
      [
        ['q_proj', '4'],
        ['o', '128'],
      ],
    ),
  ).toBe(['site    bits', '------  ----', 'q_proj     4', 'o        128'].join('\n'));
});
