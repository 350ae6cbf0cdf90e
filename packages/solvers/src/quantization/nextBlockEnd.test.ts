import { expect, it } from 'vitest';
import { nextBlockEnd } from './nextBlockEnd.ts';

it.each([
  // Groups fit: plain blocks.
  [0, 128, 32, 300, 128],
  [256, 128, 32, 300, 300],
  // A group would straddle: the block ends where it starts.
  [0, 48, 32, 300, 32],
  [0, 100, 64, 300, 64],
  // Groups wider than blocks: they start blocks.
  [0, 24, 64, 300, 24],
  [48, 24, 64, 300, 64],
  // The last, shorter group fits.
  [256, 128, 32, 270, 270],
  [0, 128, 300, 300, 128],
])('from %i with blocks of %i and groups of %i in %i columns: %i', (blockStart, blockSize, groupSize, columns, end) => {
  expect(nextBlockEnd(blockStart, blockSize, groupSize, columns)).toBe(end);
});
