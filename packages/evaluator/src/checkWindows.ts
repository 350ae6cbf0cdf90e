import { CompressionError, type TokenWindow } from '@quern/core';

/**
 * Refuses windows that cannot be scored.
 *
 * Errors: INVALID_OPTION when a window scores its first token, which has nothing before it; INVALID_TOKENIZER when a token id
 * is outside of the vocabulary (not checked when the graph leaves its size open). Their windows are numbered from `first` on.
 */
export function checkWindows(windows: readonly TokenWindow[], vocabularySize: number | null, first = 0): void {
  const limit = vocabularySize ?? Number.POSITIVE_INFINITY;
  for (const [at, { ids, firstScored }] of windows.entries()) {
    const index = first + at;
    if (firstScored < 1) {
      throw new CompressionError(
        'INVALID_OPTION',
        `Window ${index} scores from token ${firstScored}: the first token that has something before it is 1.`,
        { window: index, firstScored },
      );
    }
    for (const id of ids) {
      if (id >= 0 && id < limit) continue;
      throw new CompressionError(
        'INVALID_TOKENIZER',
        `Window ${index} holds token ${id}, but the model's vocabulary has ${limit}: use the tokenizer that belongs to the model.`,
        { window: index, id, vocabularySize },
      );
    }
  }
}
