import { CompressionError, type TokenWindow } from '@quern/core';
import type { TokenLosses } from './openScorer.ts';
import type { WindowScores } from './windowScores.ts';

/** Where a window stands: its row in the batch, its index among all windows. */
export interface WindowPlace {
  readonly row: number;
  readonly index: number;
  readonly window: TokenWindow;
}

/**
 * Adds one window's losses from `firstScored` on to the arrays of `scores`, in float64, in the order of the tokens.
 *
 * Errors: NON_FINITE_ACTIVATION with the window and the token at which the first loss is not a finite number.
 */
export function addLosses(scores: WindowScores, losses: TokenLosses, { row, index, window }: WindowPlace): void {
  const { baseline } = scores;
  for (let token = window.firstScored; token < window.ids.length; token++) {
    const at = row * losses.columns + token - 1;
    scores.nll[index]! += finite(losses.nll[at]!, 'loss', index, token);
    if (!baseline || !losses.baseline) continue;
    baseline.nll[index]! += finite(losses.baseline.nll[at]!, 'loss of the baseline', index, token);
    baseline.klDivergence![index]! += finite(losses.baseline.klDivergence[at]!, 'divergence', index, token);
    baseline.topAgreements![index]! += losses.baseline.agreement[at]!;
  }
}

function finite(value: number, what: string, window: number, token: number): number {
  if (Number.isFinite(value)) return value;
  throw new CompressionError(
    'NON_FINITE_ACTIVATION',
    `The ${what} at token ${token} of window ${window} is ${value}: the model overflows. ` +
      'Compute in float32 (--dtype fp32) or look for a damaged weight with `quern inspect`.',
    { window, token, value: String(value) },
  );
}
