import type { TokenWindow } from '@quern/core';

/**
 * Splits windows into batches: indices of windows of one length, about `batchTokens` tokens together, at least one window.
 *
 * Windows of different lengths never share a batch. Padding would waste work, and with equal lengths a window's logits come
 * from the same operations in the same order whatever stands beside it, so the figures do not depend on `batchTokens`.
 * Windows without a scored token are in no batch. Long windows come first: memory grows once.
 */
export function batchWindows(windows: readonly TokenWindow[], batchTokens: number): readonly (readonly number[])[] {
  const byLength = new Map<number, number[]>();
  for (const [index, { ids, firstScored }] of windows.entries()) {
    if (firstScored >= ids.length) continue;
    const group = byLength.get(ids.length);
    if (group) group.push(index);
    else byLength.set(ids.length, [index]);
  }
  const batches: number[][] = [];
  for (const [length, group] of [...byLength].sort(([a], [b]) => b - a)) {
    const size = Math.max(1, Math.floor(batchTokens / length));
    for (let start = 0; start < group.length; start += size) batches.push(group.slice(start, start + size));
  }
  return batches;
}
