import { describe, expect, it } from 'vitest';
import { batchLimit } from './batchLimit.ts';

const request = {
  device: 'webgpu',
  memoryBytes: null,
  vocabularySize: 32_000,
  windowLength: 512,
  compares: false,
} as const;
const GIB = 2 ** 30;

describe('batchLimit', () => {
  it('keeps small batches on a CPU, and few logits', () => {
    expect(batchLimit({ ...request, device: 'cpu' })).toBe(512);
    expect(batchLimit({ ...request, device: 'cpu', vocabularySize: 2 ** 17 })).toBe(128);
  });

  it('fills a quarter of the free memory of a device, up to a limit', () => {
    // 3 * 128 000 bytes of logits and 131 072 of scores a token.
    expect(batchLimit({ ...request, memoryBytes: 2 * GIB })).toBe(Math.floor(GIB / 2 / 515_072));
    expect(batchLimit({ ...request, memoryBytes: 80 * GIB })).toBe(8192);
    expect(batchLimit({ ...request, memoryBytes: 2 * GIB, compares: true })).toBe(Math.floor(GIB / 2 / 1_155_072));
  });

  it('keeps every buffer below what WebGPU can bind', () => {
    expect(batchLimit({ ...request, memoryBytes: 80 * GIB, vocabularySize: 2 ** 17 })).toBe(2048);
    expect(batchLimit({ ...request, memoryBytes: 80 * GIB, windowLength: 2 ** 13 })).toBe(1024);
    expect(batchLimit({ ...request, vocabularySize: 2 ** 17 })).toBe(512);
  });

  it('takes at least a token', () => {
    expect(batchLimit({ ...request, memoryBytes: 1 })).toBe(1);
  });
});
