import { cutWindows, loadTextSet, loadTokenizer } from '@quern/calibration';
import { CompressionError, type TokenWindow } from '@quern/core';
import type { OpenedModel } from './openModel.ts';
import { textSetFolder } from './textSetFolder.ts';

export interface TextRequest {
  /** Id of a set in calib-data, or a path. */
  readonly data: string;
  readonly part: 'calibration' | 'evaluation';
  /** Tokens a window; default min(512, context), per document the context. */
  readonly windowLength?: number | undefined;
  readonly stride?: number | undefined;
  readonly perDocument?: boolean | undefined;
  readonly maximumWindows?: number | undefined;
}

export interface PreparedText {
  readonly data: { readonly id: string; readonly sha256: string };
  readonly windows: readonly TokenWindow[];
  readonly windowLength: number;
  readonly stride: number;
  /** UTF-8 bytes of the decoded scored tokens. */
  readonly byteCount: number;
}

const DEFAULT_WINDOW_LENGTH = 512;

/**
 * Text to token windows for one model, as the command line promises.
 *
 * Errors: TOKENIZER_NOT_FOUND, WINDOW_TOO_LONG (above the context), TEXT_TOO_SHORT, INVALID_DATA_SET.
 */
export async function prepareText(opened: OpenedModel, request: TextRequest): Promise<PreparedText> {
  if (!opened.tokenizerFolder) {
    throw new CompressionError(
      'TOKENIZER_NOT_FOUND',
      `${opened.path} comes without a tokenizer: pass --tokenizer <folder with tokenizer.json and config.json>. Without one, --method rtn with --evaluate none reads no text.`,
      { path: opened.path },
    );
  }
  const context = opened.text?.contextLength ?? null;
  const windowLength = chooseWindowLength(request, context);
  const tokenizer = await loadTokenizer(opened.tokenizerFolder);
  const set = await loadTextSet(request.data, request.part, await textSetFolder(request.data));
  const stride = request.stride ?? windowLength;
  const options = {
    bosTokenId: opened.text?.bosTokenId ?? null,
    windowLength,
    stride,
    perDocument: request.perDocument ?? false,
    ...(request.maximumWindows === undefined ? {} : { maximumCount: request.maximumWindows }),
  };
  const { windows, byteCount } = nameText(request, () => cutWindows(set.documents, tokenizer, options));
  return { data: { id: set.id, sha256: set.sha256 }, windows, windowLength, stride, byteCount };
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

function chooseWindowLength(request: TextRequest, context: number | null): number {
  if (request.windowLength === undefined) {
    if (request.perDocument && context !== null) return context;
    return Math.min(DEFAULT_WINDOW_LENGTH, context ?? DEFAULT_WINDOW_LENGTH);
  }
  if (context !== null && request.windowLength > context) {
    throw new CompressionError(
      'WINDOW_TOO_LONG',
      `--window-length ${request.windowLength} is above the model's context of ${context} tokens: use ${context} or less.`,
      { windowLength: request.windowLength, contextLength: context },
    );
  }
  return request.windowLength;
}
