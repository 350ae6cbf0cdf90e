import { expect, it } from 'vitest';
import { checksum } from './checksum.ts';

it.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
  ['Nobody inspects the spammish repetition', 0xe2293b2f],
])('gives the published xxHash32 of %j', (text, sum) => {
  const bytes = new TextEncoder().encode(text);
  expect(checksum(bytes)).toBe(sum);
  // At an odd place of a larger buffer.
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  expect(checksum(shifted.subarray(3))).toBe(sum);
});
