import { CompressionError } from '@quern/core';

const DEFAULT_WINDOW_LENGTH = 512;

/** Tokens a window: as asked for, else min(512, context), per document the context. Errors: WINDOW_TOO_LONG. */
export function windowLengthFor(
  context: number | null,
  {
    windowLength,
    perDocument,
  }: { readonly windowLength?: number | undefined; readonly perDocument?: boolean | undefined },
): number {
  if (windowLength === undefined) {
    if (perDocument && context !== null) return context;
    return Math.min(DEFAULT_WINDOW_LENGTH, context ?? DEFAULT_WINDOW_LENGTH);
  }
  if (context !== null && windowLength > context) {
    throw new CompressionError(
      'WINDOW_TOO_LONG',
      `--window-length ${windowLength} is above the model's context of ${context} tokens: use ${context} or less.`,
      { windowLength, contextLength: context },
    );
  }
  return windowLength;
}
