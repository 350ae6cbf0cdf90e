import { cutWindows, loadTokenizer, type TextMeasure, type TextSource } from '@quern/calibration';
import { CompressionError, type TokenWindow } from '@quern/core';
import { loadTexts } from './loadTexts.ts';
import type { OpenedModel } from './openModel.ts';
import { tokenizerFolderOf } from './textTokenizer.ts';
import { windowLengthFor } from './windowLengthFor.ts';

export interface TextRequest {
  /** Id of a set in calib-data, a mixture of sets for calibration, or a path. */
  readonly data: string;
  readonly part: 'calibration' | 'evaluation';
  /** Tokens a window; default min(512, context), per document the context. */
  readonly windowLength?: number | undefined;
  readonly stride?: number | undefined;
  readonly perDocument?: boolean | undefined;
  readonly maximumWindows?: number | undefined;
  /** Of the order of mixtures, 0 unless given. */
  readonly seed?: number | undefined;
}

/** What a text is. */
export interface TextDescription {
  readonly id: string;
  readonly sha256: string;
  /** The files that it was read from; none for one that a model wrote. */
  readonly sources: readonly TextSource[];
  /** Set for a text that the model itself wrote. */
  readonly generated?: { readonly temperature: number; readonly beginId: number };
}

export interface PreparedText extends TextMeasure {
  readonly data: TextDescription;
  readonly windows: readonly TokenWindow[];
  readonly windowLength: number;
  readonly stride: number;
}

/**
 * Text to token windows for one model, as the command line promises.
 *
 * Errors: TOKENIZER_NOT_FOUND, WINDOW_TOO_LONG (above the context), TEXT_TOO_SHORT, INVALID_DATA_SET.
 */
export async function prepareText(opened: OpenedModel, request: TextRequest): Promise<PreparedText> {
  return cutText(request, await readText(opened, request));
}

/** A text before it is cut, and how it will be. */
export type ReadText = Awaited<ReturnType<typeof readText>>;

/** Cuts a text that was read. Errors: INVALID_TOKENIZER, TEXT_TOO_SHORT. */
export async function cutText(request: TextRequest, read: ReadText): Promise<PreparedText> {
  const { documents, tokenizerFolder, options, ...text } = read;
  const tokenizer = await loadTokenizer(tokenizerFolder);
  try {
    return { ...text, ...cutWindows(documents, tokenizer, options) };
  } catch (error) {
    throw withText(request, error);
  }
}

/** The first half of `prepareText`. Errors: TOKENIZER_NOT_FOUND, WINDOW_TOO_LONG, INVALID_DATA_SET. */
export async function readText(opened: OpenedModel, request: TextRequest) {
  const tokenizerFolder = tokenizerFolderOf(opened);
  const windowLength = windowLengthFor(opened.text?.contextLength ?? null, request);
  const { id, sha256, sources, documents } = await loadTexts(request.data, request.part, request.seed ?? 0);
  const stride = request.stride ?? windowLength;
  const options = {
    bosTokenId: opened.text?.bosTokenId ?? null,
    bosEverywhere: opened.text?.bosEverywhere ?? false,
    windowLength,
    stride,
    perDocument: request.perDocument ?? false,
    ...(request.maximumWindows === undefined ? {} : { maximumCount: request.maximumWindows }),
  };
  return { data: { id, sha256, sources }, windowLength, stride, documents, tokenizerFolder, options };
}

/** The same error with the text in front: windows do not know where their tokens come from. */
export function withText({ part, data }: TextRequest, error: unknown): unknown {
  if (!(error instanceof CompressionError) || error.code === 'INTERRUPTED') return error;
  const { code, message, context } = error;
  return new CompressionError(
    code,
    `The ${part} text ${data}: ${message}`,
    { ...context, data, part },
    { cause: error },
  );
}
