import { CompressionError } from '@quern/core';

/** Id of the largest of the logits `[vocabularySize]`, the lowest of equals. Errors: NON_FINITE_ACTIVATION for a NaN. */
export function mostLikelyToken(logits: ArrayLike<number>): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    const value = logits[id]!;
    if (Number.isNaN(value)) {
      throw new CompressionError(
        'NON_FINITE_ACTIVATION',
        `The logit of token ${id} is NaN: no next token can be chosen. The weights or their scales overflow; try --dtype fp32 or the original model.`,
        { id },
      );
    }
    if (value > logits[best]!) best = id;
  }
  return best;
}
