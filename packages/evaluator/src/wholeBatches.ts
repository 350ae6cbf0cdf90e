import type { TokenWindow } from '@quern/core';

/** Some windows of a text that is still being cut, in its order. */
export interface WindowPart {
  readonly windows: readonly TokenWindow[];
  /** Of the text, what windows hold by now, about: above 0, up to 1. */
  readonly share: number;
}

/** Windows that go through the model before more are waited for. */
export interface WindowGroup {
  readonly windows: readonly TokenWindow[];
  /** Windows before them. */
  readonly first: number;
  /** Tokens of all windows: estimated from the share that is cut, exact in the last group. */
  readonly totalTokens: number;
}

/**
 * Gives windows on as soon as they fill batches, so that the same windows stand in a batch as if all had been there from the beginning.
 *
 * Windows of several lengths wait for the last: any that comes could fill the batch of its length. `batchTokens` tells tokens of a batch.
 */
export async function* wholeBatches(
  parts: AsyncIterable<WindowPart>,
  batchTokens: (windows: readonly TokenWindow[]) => number,
): AsyncGenerator<WindowGroup, void> {
  let waiting: readonly TokenWindow[] = [];
  let first = 0;
  let tokens = 0;
  for await (const { windows, share } of parts) {
    waiting = [...waiting, ...windows];
    tokens += scoredTokens(windows);
    const length = waiting[0]?.ids.length ?? 0;
    if (waiting.some(({ ids }) => ids.length !== length)) continue;
    const size = Math.max(1, Math.floor(batchTokens(waiting) / length));
    // At least one window is left for the last group.
    const ready = size * Math.floor((waiting.length - 1) / size);
    if (ready <= 0) continue;
    yield { windows: waiting.slice(0, ready), first, totalTokens: Math.round(tokens / share) };
    first += ready;
    waiting = waiting.slice(ready);
  }
  yield { windows: waiting, first, totalTokens: tokens };
}

/** Tokens of windows that go through a model: those without a scored token do not. */
export function scoredTokens(windows: readonly TokenWindow[]): number {
  return windows.reduce((sum, { ids, firstScored }) => sum + (firstScored < ids.length ? ids.length : 0), 0);
}
