import { createHash } from 'node:crypto';
import type { PreparedText } from './prepareText.ts';

/** Everything of a prepared text that can change a figure, as JSON: the same text cut by another tokenizer differs. */
export function textContent(text: PreparedText) {
  const { data, windows, windowLength, stride, byteCount } = text;
  const tokens = createHash('sha256');
  for (const { ids, firstScored } of windows) tokens.update(Int32Array.of(ids.length, firstScored)).update(ids);
  const windowCount = windows.length;
  return { sha256: data.sha256, tokens: tokens.digest('hex'), windowLength, stride, windowCount, byteCount };
}
