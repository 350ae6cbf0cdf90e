import { CompressionError, type TokenWindow } from '@quern/core';
import type { ModelLosses, TokenLosses } from './openScorer.ts';
import { addPrediction } from './statistics/calibrationGaps.ts';
import type { ModelScores, WindowScores } from './windowScores.ts';

/** Windows that were scored together. */
export interface ScoredBatch {
  /** Indices among `windows`. */
  readonly batch: readonly number[];
  readonly windows: readonly TokenWindow[];
  /** Windows before them all, by which errors count; 0 unless given. */
  readonly first?: number;
  /** Of `tokensBefore`. */
  readonly before: Float64Array;
}

/** Ranks below it are among the five most likely. */
const FIVE = 5;

/** `[windowCount]` scored tokens of all windows before each. */
export function tokensBefore({ tokenCounts }: WindowScores): Float64Array {
  let sum = 0;
  return Float64Array.from(tokenCounts, count => {
    sum += count;
    return sum - count;
  });
}

/**
 * Adds the losses of a batch, from each window's `firstScored` on, to the arrays of `scores`, in float64, in the order of the tokens.
 *
 * Errors: NON_FINITE_ACTIVATION with the window and the token at which the first loss is not a finite number.
 */
export function addLosses(scores: WindowScores, losses: TokenLosses, scored: ScoredBatch): void {
  const { batch, windows, before, first = 0 } = scored;
  for (const [row, index] of batch.entries()) {
    const name = first + index;
    addWindow(scores, losses, { row, index, name, window: windows[index]!, tokensBefore: before[index]! });
  }
}

/** Where a window stands: its row in the batch, its index in the scores, and the one that errors name. */
interface WindowPlace {
  readonly row: number;
  readonly index: number;
  readonly name: number;
  readonly window: TokenWindow;
  readonly tokensBefore: number;
}

function addWindow(scores: WindowScores, losses: TokenLosses, place: WindowPlace): void {
  const { row, index, name, window, tokensBefore } = place;
  const { baseline } = scores;
  for (let token = window.firstScored; token < window.ids.length; token++) {
    const at = row * losses.columns + token - 1;
    finite(losses.nll[at]!, 'loss', name, token);
    const isRight = addToken(scores, losses, at, index);
    if (!baseline || !losses.baseline) continue;
    finite(losses.baseline.nll[at]!, 'loss of the baseline', name, token);
    const wasRight = addToken(baseline, losses.baseline, at, index);
    const divergence = finite(losses.baseline.klDivergence[at]!, 'divergence', name, token);
    baseline.klDivergence[index]! += divergence;
    baseline.tokenDivergences[tokensBefore + token - window.firstScored] = divergence;
    if (losses.baseline.top[at] === losses.baseline.modelTop[at]) baseline.topAgreements[index]!++;
    if (losses.baseline.rank[at]! < FIVE) baseline.topFiveAgreements[index]!++;
    if (wasRight && !isRight) baseline.lost[index]!++;
    if (isRight && !wasRight) baseline.gained[index]!++;
  }
}

/** Returns whether nothing was more likely than the token that came. */
function addToken(scores: ModelScores, { nll, logConfidence }: ModelLosses, at: number, index: number): boolean {
  const isRight = -nll[at]! >= logConfidence[at]!;
  scores.nll[index]! += nll[at]!;
  if (isRight) scores.right[index]!++;
  addPrediction(scores.gaps, index, Math.exp(logConfidence[at]!), isRight);
  return isRight;
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
