import { CompressionError, type TokenWindow } from '@quern/core';
import type { ModelLosses } from '../openScorer.ts';

/** What a model says of each window's scored tokens, in the order of the windows. */
export interface ContinuationScores {
  /** Sum of ln p, nats. */
  readonly logLikelihood: Float64Array;
  /** 1 where each scored token is the most likely one. */
  readonly isGreedy: Uint8Array;
}

/** A window among all, and where the loss of its first scored token stands. */
export interface ContinuationPlace {
  readonly index: number;
  readonly window: TokenWindow;
  readonly at: number;
}

/** Scores to which nothing was added. */
export function emptyContinuations(count: number): ContinuationScores {
  return { logLikelihood: new Float64Array(count), isGreedy: new Uint8Array(count).fill(1) };
}

/** Adds a window's losses, in float64, in the order of its tokens. Errors: NON_FINITE_ACTIVATION with the window and the token. */
export function addContinuation(
  scores: ContinuationScores,
  { nll, logConfidence }: ModelLosses,
  { at, index, window }: ContinuationPlace,
): void {
  for (let token = window.firstScored; token < window.ids.length; token++) {
    const place = at + token - window.firstScored;
    const loss = nll[place]!;
    if (!Number.isFinite(loss)) {
      throw new CompressionError(
        'NON_FINITE_ACTIVATION',
        `The loss at token ${token} of text ${index} is ${loss}: the model overflows. Compute in float32 (--dtype fp32) or look for a damaged weight with \`quern inspect\`.`,
        { window: index, token, value: String(loss) },
      );
    }
    scores.logLikelihood[index]! -= loss;
    if (-loss < logConfidence[place]!) scores.isGreedy[index] = 0;
  }
}
