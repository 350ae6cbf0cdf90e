import { CompressionError, type TokenWindow } from '@quern/core';
import { type CutWindow, measureText, type TextMeasure } from './measureText.ts';
import type { Tokenizer } from './tokenizer.ts';
import { checkWindowOptions, type WindowOptions } from './windowOptions.ts';

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
  checkWindowOptions(options);
  const cut = options.perDocument
    ? cutEachDocument(documents, tokenizer, options)
    : cutStream(documents, tokenizer, options);
  return { windows: cut.map(({ ids, firstScored }) => ({ ids, firstScored })), ...measureText(cut, tokenizer) };
}

function cutEachDocument(documents: readonly string[], tokenizer: Tokenizer, options: WindowOptions): CutWindow[] {
  const windows: CutWindow[] = [];
  const documentStarts = [options.bosTokenId === null ? 0 : 1];
  for (const document of documents) {
    if (windows.length === options.maximumCount) break;
    const ids = encodeDocument(document, tokenizer, options.bosTokenId).slice(0, options.windowLength);
    if (ids.length >= 2) windows.push({ ids, firstScored: 1, documentStarts });
  }
  if (windows.length === 0) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      `None of the ${documents.length} documents has a token to score: at least 2 tokens are needed, BOS included. Use a longer text.`,
      { documentCount: documents.length, limit: 2 },
    );
  }
  return windows;
}

function cutStream(documents: readonly string[], tokenizer: Tokenizer, options: WindowOptions): CutWindow[] {
  const { windowLength, stride, maximumCount = Number.POSITIVE_INFINITY } = options;
  const { stream, documentStarts } = encodeStream(
    documents,
    tokenizer,
    options.bosTokenId,
    windowLength + (maximumCount - 1) * stride,
  );
  if (stream.length < windowLength) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      `The text has ${stream.length} tokens, less than one window of ${windowLength}. Use a longer text, or a smaller --window-length.`,
      { tokenCount: stream.length, windowLength },
    );
  }
  const windows: CutWindow[] = [];
  let nextDocument = 0;
  for (let start = 0; windows.length < maximumCount; start += stride) {
    const end = Math.min(start + windowLength, stream.length);
    if (stride === windowLength && end - start < windowLength) break;
    const firstScored = start === 0 ? 1 : Math.max(1, windowLength - stride);
    while (nextDocument < documentStarts.length && documentStarts[nextDocument]! < start) nextDocument++;
    const inside: number[] = [];
    for (let index = nextDocument; index < documentStarts.length && documentStarts[index]! < end; index++) {
      inside.push(documentStarts[index]! - start);
    }
    windows.push({ ids: stream.slice(start, end), firstScored, documentStarts: inside });
    if (end === stream.length) break;
  }
  return windows;
}

/** Encodes documents until there are enough tokens; says where the text of each begins. */
function encodeStream(
  documents: readonly string[],
  tokenizer: Tokenizer,
  bosTokenId: number | null,
  tokensNeeded: number,
): { readonly stream: Int32Array; readonly documentStarts: readonly number[] } {
  const encoded: Int32Array[] = [];
  const documentStarts: number[] = [];
  let tokenCount = 0;
  for (const document of documents) {
    if (tokenCount >= tokensNeeded) break;
    const ids = encodeDocument(document, tokenizer, bosTokenId);
    encoded.push(ids);
    documentStarts.push(tokenCount + (bosTokenId === null ? 0 : 1));
    tokenCount += ids.length;
  }
  const stream = new Int32Array(tokenCount);
  let offset = 0;
  for (const ids of encoded) {
    stream.set(ids, offset);
    offset += ids.length;
  }
  return { stream, documentStarts };
}

function encodeDocument(document: string, tokenizer: Tokenizer, bosTokenId: number | null): Int32Array {
  const ids = tokenizer.encode(document);
  if (bosTokenId === null) return ids;
  const withBos = new Int32Array(ids.length + 1);
  withBos[0] = bosTokenId;
  withBos.set(ids, 1);
  return withBos;
}
