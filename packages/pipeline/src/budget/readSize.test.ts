import { expect, it } from 'vitest';
import { readSize } from './readSize.ts';

it.each([
  [3_200_000, 3_200_000],
  ['900', 900],
  ['3.2MB', 3_200_000],
  ['0.5 kB', 500],
  ['2 MiB', 2 ** 21],
  ['500kb', 500_000],
  ['900KB', 900_000],
  ['3Mb', 3_000_000],
  ['3mb', 3_000_000],
  ['3 mib', 3 * 2 ** 20],
  ['1.5 GB', 1_500_000_000],
  ['2e6b', 2_000_000],
  ['700 bytes', 700],
  ['4MB - 300kb', 3_700_000],
  ['1 KiB', 1024],
])('%s is %i bytes', (size, bytes) => {
  expect(readSize(size)).toBe(bytes);
});

it.each(['', 'big', '3 m', '8 Mbit', '-4MB', 0, Number.NaN, '0.1 B'])('%s is no size', size => {
  expect(() => readSize(size)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(`targetSize (${size})`) }),
  );
});
