import type { TokenWindow } from '@quern/core';
import { countScoredWords } from './countWords.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A window and the positions in it at which documents begin, behind their BOS. */
export interface CutWindow extends TokenWindow {
  readonly documentStarts: readonly number[];
}

/** The size of what windows score. */
export interface TextMeasure {
  /** UTF-8 bytes of the scored ids, decoded window by window. */
  readonly byteCount: number;
  /** The same of each window. */
  readonly byteCounts: Int32Array;
  /** Words of each window as lm-evaluation-harness counts them; see `countScoredWords`. */
  readonly wordCounts: Int32Array;
}

/** Bytes and words of the text that windows score. Cost: decodes it twice. */
export function measureText(windows: readonly CutWindow[], tokenizer: Tokenizer): TextMeasure {
  const byteCounts = Int32Array.from(windows, ({ ids, firstScored }) =>
    tokenizer.byteLength(ids.subarray(firstScored)),
  );
  const wordCounts = Int32Array.from(windows, window => countScoredWords(window, window.documentStarts, tokenizer));
  return { byteCount: byteCounts.reduce((sum, bytes) => sum + bytes, 0), byteCounts, wordCounts };
}
