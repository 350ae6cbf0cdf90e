import type { TokenWindow } from '@quern/core';
import { cutParts } from './cutParts.ts';
import { joinParts } from './joinParts.ts';
import type { TextMeasure } from './measureText.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { WindowOptions } from './windowOptions.ts';

/** Windows in the order of the text, and the size of what they score. */
export interface CutText extends TextMeasure {
  readonly windows: TokenWindow[];
}

/**
 * Cuts documents into the token windows that a model is run on.
 *
 * Default: every document is BOS + text, all are concatenated, windows are disjoint, the tail is dropped, and all tokens of
 * a window but the first are scored. With a stride below the window length, windows start every `stride` tokens until the
 * text ends (the last one may be shorter) and each token after the first is scored once, in the first window that holds it.
 * Per document: each document alone is one window, cut at the window length; all tokens after BOS are scored.
 *
 * Without a BOS id nothing is put before a document, so its first token is context where it starts a window. Of more
 * windows than `maximumCount` the first are taken: the same for every model and seed, and the rest is not encoded.
 *
 * @returns at least one window; each owns its buffer.
 * @throws `INVALID_OPTION` for options out of range, `TEXT_TOO_SHORT` when not one window can be cut.
 */
export function cutWindows(documents: readonly string[], tokenizer: Tokenizer, options: WindowOptions): CutText {
  return joinParts([...cutParts(documents, tokenizer, options)]);
}
