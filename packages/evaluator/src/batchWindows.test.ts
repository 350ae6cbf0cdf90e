import { describe, expect, it } from 'vitest';
import { batchWindows } from './batchWindows.ts';

const windows = [4, 8, 4, 1, 8, 4, 16].map(length => ({ ids: new Int32Array(length), firstScored: 1 }));

describe('batchWindows', () => {
  it('puts windows of one length together, long ones first, each scored window once', () => {
    expect(batchWindows(windows, 8)).toEqual([[6], [1], [4], [0, 2], [5]]);
    expect(batchWindows(windows, 1000)).toEqual([[6], [1, 4], [0, 2, 5]]);
    expect(batchWindows(windows, 0.5)).toEqual([[6], [1], [4], [0], [2], [5]]);
  });
});
