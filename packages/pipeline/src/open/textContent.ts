import { createHash } from 'node:crypto';
import type { TokenWindow } from '@quern/core';
import type { PreparedText } from './prepareText.ts';

/** Everything of a prepared text that can change a figure, as JSON: the same text cut by another tokenizer differs. */
export function textContent(text: PreparedText) {
  const { data, windows, windowLength, stride, byteCount } = text;
  const windowCount = windows.length;
  return { sha256: data.sha256, tokens: hashWindows(windows), windowLength, stride, windowCount, byteCount };
}

/** sha256 of windows: how long each is, where its scoring begins, its ids. */
export function hashWindows(windows: readonly TokenWindow[]): string {
  const hash = createHash('sha256');
  for (const { ids, firstScored } of windows) hash.update(Int32Array.of(ids.length, firstScored)).update(ids);
  return hash.digest('hex');
}
