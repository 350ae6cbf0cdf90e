import { CompressionError, type TokenWindow } from '@quern/core';
import { type CutWindow, measureText, type TextMeasure } from './measureText.ts';
import type { Tokenizer } from './tokenizer.ts';
import { checkWindowOptions, type WindowOptions } from './windowOptions.ts';

/** Some windows of a text, in its order. */
export interface CutPart extends TextMeasure {
  readonly windows: TokenWindow[];
  /** Of the text, what windows hold by now, about: above 0, up to 1. */
  readonly share: number;
}

/** Tokens of a part or more: a batch or two of an accelerator. */
const PART_TOKENS = 2 ** 14;

/**
 * The windows of `cutWindows` part by part, each as soon as its documents are encoded.
 *
 * Per document all come as one part: windows of a length go through a model together, and the last document may have any.
 * Errors: those of `cutWindows`, where the text has come to them.
 */
export function* cutParts(
  documents: readonly string[],
  tokenizer: Tokenizer,
  options: WindowOptions,
): Generator<CutPart> {
  checkWindowOptions(options);
  const begin = options.bosEverywhere ? options.bosTokenId : null;
  const asPart = (cut: readonly CutWindow[], share: number): CutPart => {
    const measure = measureText(cut, tokenizer);
    if (begin !== null) for (const { ids } of cut) ids[0] = begin;
    return { windows: cut.map(({ ids, firstScored }) => ({ ids, firstScored })), share, ...measure };
  };
  if (options.perDocument) {
    yield asPart(cutEachDocument(documents, tokenizer, options), 1);
    return;
  }
  const progress = { encoded: 0, cut: 0, share: 0 };
  let windows: CutWindow[] = [];
  for (const window of cutStream(documents, tokenizer, options, progress)) {
    windows.push(window);
    if (windows.length * options.windowLength < PART_TOKENS) continue;
    yield asPart(windows, (progress.share * progress.cut) / progress.encoded);
    windows = [];
  }
  if (windows.length > 0) yield asPart(windows, 1);
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

/** How far a text is: its tokens that are encoded and those of them that lie in windows, and the share of it that is encoded. */
interface CutProgress {
  encoded: number;
  cut: number;
  share: number;
}

function* cutStream(
  documents: readonly string[],
  tokenizer: Tokenizer,
  { bosTokenId, windowLength, stride, maximumCount = Number.POSITIVE_INFINITY }: WindowOptions,
  progress: CutProgress,
): Generator<CutWindow> {
  const end = maximumCount * stride;
  const needed = windowLength + end - stride;
  const characters = documents.reduce((sum, { length }) => sum + length, 0);
  /** Tokens from `start` on, where the next window begins, and where documents begin among all. */
  let stream = new Int32Array(0);
  let documentStarts: number[] = [];
  let start = 0;
  const cut = (length: number): CutWindow => {
    documentStarts = documentStarts.filter(position => position >= start);
    const inside = documentStarts.filter(position => position < start + length).map(position => position - start);
    const ids = stream.slice(0, length);
    progress.cut = start + length;
    const firstScored = start === 0 ? 1 : Math.max(1, windowLength - stride);
    stream = stream.subarray(stride);
    start += stride;
    return { ids, firstScored, documentStarts: inside };
  };
  let waiting: Int32Array[] = [];
  let read = 0;
  for (const document of documents) {
    if (progress.encoded >= needed) break;
    const ids = encodeDocument(document, tokenizer, bosTokenId);
    documentStarts.push(progress.encoded + (bosTokenId === null ? 0 : 1));
    waiting.push(ids);
    progress.encoded += ids.length;
    read += document.length;
    if (progress.encoded < start + windowLength) continue;
    progress.share = Math.min(1, Math.max(read / characters, progress.encoded / needed));
    stream = joinTokens([stream, ...waiting]);
    waiting = [];
    while (stream.length >= windowLength && start < end) yield cut(windowLength);
  }
  if (progress.cut === 0) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      `The text has ${progress.encoded} tokens, less than one window of ${windowLength}. Use a longer text, or a smaller --window-length.`,
      { tokenCount: progress.encoded, windowLength },
    );
  }
  if (stride < windowLength && progress.cut < progress.encoded && start < end) {
    stream = joinTokens([stream, ...waiting]);
    yield cut(stream.length);
  }
}

function joinTokens(parts: readonly Int32Array[]): Int32Array<ArrayBuffer> {
  const tokens = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    tokens.set(part, offset);
    offset += part.length;
  }
  return tokens;
}

function encodeDocument(document: string, tokenizer: Tokenizer, bosTokenId: number | null): Int32Array<ArrayBuffer> {
  const ids = tokenizer.encode(document);
  if (bosTokenId === null) return Int32Array.from(ids);
  const withBos = new Int32Array(ids.length + 1);
  withBos[0] = bosTokenId;
  withBos.set(ids, 1);
  return withBos;
}
