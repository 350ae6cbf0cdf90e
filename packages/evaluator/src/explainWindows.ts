import type { TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { openComparer } from './openComparer.ts';
import type { ScorerOptions, TokenLosses } from './openScorer.ts';

/** What two models expected where a token came. */
export interface ExplainedToken {
  /** Probability of the token, before with the baseline. */
  readonly before: number;
  readonly after: number;
  /** KL(baseline || model), nats. */
  readonly divergence: number;
  /** The tokens that each found most likely, and their probabilities. */
  readonly topBefore: number;
  readonly topAfter: number;
  readonly confidenceBefore: number;
  readonly confidenceAfter: number;
}

/**
 * Both models' expectations for every token of a few windows but the first, `[ids.length - 1]` a window.
 *
 * Errors: those of `openComparer`. Cost: opens both models and runs the windows one by one.
 */
export async function explainWindows(
  model: OnnxModel,
  windows: readonly TokenWindow[],
  { baseline, ...options }: ScorerOptions & { readonly baseline: OnnxModel },
): Promise<ExplainedToken[][]> {
  const comparer = await openComparer(model, baseline, options);
  try {
    const explained: ExplainedToken[][] = [];
    for (const { ids } of windows) explained.push(explainLosses(await comparer.score([ids])));
    return explained;
  } finally {
    await comparer.release();
  }
}

/** What losses beside those of a baseline say of each token. */
export function explainLosses(losses: TokenLosses): ExplainedToken[] {
  const other = losses.baseline!;
  return Array.from(losses.nll, (nll, token) => ({
    before: Math.exp(-other.nll[token]!),
    after: Math.exp(-nll),
    divergence: other.klDivergence[token]!,
    topBefore: other.top[token]!,
    topAfter: other.modelTop[token]!,
    confidenceBefore: Math.exp(other.logConfidence[token]!),
    confidenceAfter: Math.exp(losses.logConfidence[token]!),
  }));
}
