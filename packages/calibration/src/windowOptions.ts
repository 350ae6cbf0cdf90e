import { CompressionError } from '@quern/core';

/** How a text is cut into windows. */
export interface WindowOptions {
  /** Put before each document; null puts nothing. */
  readonly bosTokenId: number | null;
  /**
   * Put it in place of the first token of every window, which is never scored: for models that were trained with it before every text.
   * False unless given.
   */
  readonly bosEverywhere?: boolean;
  /** Tokens in a window, 2 or more. */
  readonly windowLength: number;
  /** Tokens from one window's start to the next, 1 .. windowLength. Equal to the window length: disjoint windows. */
  readonly stride: number;
  /** Each document alone, cut at the window length. Leaves no room for a stride. */
  readonly perDocument: boolean;
  /** At most this many windows, the first ones of the text; all when left out. */
  readonly maximumCount?: number;
}

/** @throws `INVALID_OPTION` naming the option, its value and its limits. */
export function checkWindowOptions(options: WindowOptions): void {
  const { bosTokenId, windowLength, stride, perDocument, maximumCount } = options;
  if (bosTokenId !== null) checkInteger('bos_token_id', bosTokenId, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('--window-length', windowLength, 2, Number.MAX_SAFE_INTEGER);
  checkInteger('--stride', stride, 1, windowLength);
  if (maximumCount !== undefined) checkInteger('--windows', maximumCount, 1, Number.MAX_SAFE_INTEGER);
  if (perDocument && stride !== windowLength) {
    throw new CompressionError(
      'INVALID_OPTION',
      `--per-document gives each document one window, so --stride ${stride} has no meaning. Leave out one of the two.`,
      { stride, windowLength },
    );
  }
}

function checkInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return;
  const upper = maximum === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${maximum}`;
  throw new CompressionError('INVALID_OPTION', `${name} is ${value}; it must be a whole number, ${minimum} ${upper}.`, {
    name,
    value,
    minimum,
    maximum,
  });
}
