import { cutWindows, type TextMeasure, type TextSource } from '@quern/calibration';
import { CompressionError, type TokenWindow } from '@quern/core';
import { loadTexts } from './loadTexts.ts';
import type { OpenedModel } from './openModel.ts';
import { textTokenizer } from './textTokenizer.ts';
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
  const tokenizer = await textTokenizer(opened);
  const windowLength = windowLengthFor(opened.text?.contextLength ?? null, request);
  const set = await loadTexts(request.data, request.part, request.seed ?? 0);
  const stride = request.stride ?? windowLength;
  const options = {
    bosTokenId: opened.text?.bosTokenId ?? null,
    windowLength,
    stride,
    perDocument: request.perDocument ?? false,
    ...(request.maximumWindows === undefined ? {} : { maximumCount: request.maximumWindows }),
  };
  const cut = nameText(request, () => cutWindows(set.documents, tokenizer, options));
  const { id, sha256, sources } = set;
  return { data: { id, sha256, sources }, ...cut, windowLength, stride };
}

/** The same errors with the text in front: windows do not know where their tokens come from. */
function nameText<Result>({ part, data }: TextRequest, cut: () => Result): Result {
  try {
    return cut();
  } catch (error) {
    if (!(error instanceof CompressionError)) throw error;
    const { code, message, context } = error;
    throw new CompressionError(
      code,
      `The ${part} text ${data}: ${message}`,
      { ...context, data, part },
      { cause: error },
    );
  }
}
