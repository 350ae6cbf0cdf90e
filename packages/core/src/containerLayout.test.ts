import { describe, expect, it } from 'vitest';
import { containerLayout } from './containerLayout.ts';

describe('containerLayout', () => {
  it('stores each width in the smallest kernel width that holds it', () => {
    const widths = [2, 3, 4, 5, 6, 7, 8].map(
      bits => containerLayout({ bits, groupSize: 32, inFeatures: 64 }).containerBits,
    );
    expect(widths).toEqual([2, 4, 4, 8, 8, 8, 8]);
  });

  it('pads the last group of a ragged weight', () => {
    expect(containerLayout({ bits: 4, groupSize: 32, inFeatures: 172 })).toEqual({
      containerBits: 4,
      kernelBlock: 32,
      blockCount: 6,
      storedScales: 6,
    });
  });

  it('stores one scale per output and pads least when the group is the whole channel', () => {
    // 172 pads to 256 with blocks of 256 or 128, to 192 with 64 or 32, to 176 with 16.
    expect(containerLayout({ bits: 4, groupSize: 172, inFeatures: 172 })).toEqual({
      containerBits: 4,
      kernelBlock: 16,
      blockCount: 11,
      storedScales: 1,
    });
    // 2-bit kernels are slow with blocks of 16: the largest block that still pads to 192.
    expect(containerLayout({ bits: 2, groupSize: 172, inFeatures: 172 }).kernelBlock).toBe(64);
    expect(containerLayout({ bits: 8, groupSize: 512, inFeatures: 512 }).kernelBlock).toBe(256);
  });
});
