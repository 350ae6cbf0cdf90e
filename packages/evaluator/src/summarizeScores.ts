import { CompressionError } from '@quern/core';
import type { BaselineScores, WindowScores } from './windowScores.ts';

/** Figures of a model on a text. */
export interface Evaluation {
  /** exp(nllSum / tokenCount). */
  readonly perplexity: number;
  /** Of the perplexity, with windows as clusters. */
  readonly standardError: number;
  /** nllSum / (ln 2 * UTF-8 bytes of the scored text): compares models with different tokenizers. */
  readonly bitsPerByte: number;
  /** Sum of -ln p over the scored tokens, nats. */
  readonly nllSum: number;
  readonly tokenCount: number;
  readonly baseline?: BaselineEvaluation;
}

/** Distance of a model from its baseline on the same tokens. */
export interface BaselineEvaluation {
  readonly perplexity: number;
  /** Mean of (nll - baseline nll) per token, nats: positive when the model is worse. */
  readonly nllDifference: number;
  /** Of `nllDifference`, paired over windows. */
  readonly nllDifferenceStandardError: number;
  /** Mean KL(baseline || model) per token, nats; null when only losses were compared. */
  readonly klDivergence: number | null;
  /** Fraction of tokens for which both find the same token most likely; null when only losses were compared. */
  readonly topAgreement: number | null;
}

/**
 * Turns losses by window into figures.
 *
 * Standard errors take the windows as independent clusters of dependent tokens. With a sum s_w over the n_w tokens of window
 * w and the mean m = sum s_w / sum n_w, the standard error of m is sqrt(sum (s_w - n_w m)^2) / sum n_w (the ratio estimator).
 * For the perplexity it is multiplied by d exp(m) / dm = perplexity. For `nllDifference`, s_w is the difference of the two
 * models' losses in window w: what makes a window hard for both cancels, so small differences show.
 * One window alone gives 0: it tells nothing about the spread.
 *
 * `byteCount` = UTF-8 bytes of the decoded scored tokens.
 * Errors: TEXT_TOO_SHORT when no token was scored.
 */
export function summarizeScores(scores: WindowScores, byteCount: number): Evaluation {
  const { nll, tokenCounts } = scores;
  const tokenCount = sum(tokenCounts);
  if (tokenCount === 0) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      'No token was scored: the text needs at least two tokens in a window.',
      {
        windowCount: nll.length,
      },
    );
  }
  const nllSum = sum(nll);
  const perplexity = Math.exp(nllSum / tokenCount);
  return {
    perplexity,
    standardError: perplexity * clusteredError(nll, tokenCounts),
    bitsPerByte: nllSum / (Math.LN2 * byteCount),
    nllSum,
    tokenCount,
    ...(scores.baseline ? { baseline: compare(nll, tokenCounts, scores.baseline) } : {}),
  };
}

function compare(nll: Float64Array, tokenCounts: Int32Array, baseline: BaselineScores): BaselineEvaluation {
  const tokenCount = sum(tokenCounts);
  const difference = nll.map((value, window) => value - baseline.nll[window]!);
  return {
    perplexity: Math.exp(sum(baseline.nll) / tokenCount),
    nllDifference: sum(difference) / tokenCount,
    nllDifferenceStandardError: clusteredError(difference, tokenCounts),
    klDivergence: baseline.klDivergence ? sum(baseline.klDivergence) / tokenCount : null,
    topAgreement: baseline.topAgreements ? sum(baseline.topAgreements) / tokenCount : null,
  };
}

/** Standard error of sum(sums) / sum(counts) with windows as clusters. */
function clusteredError(sums: Float64Array, counts: Int32Array): number {
  const total = sum(counts);
  const mean = sum(sums) / total;
  let squares = 0;
  for (let window = 0; window < sums.length; window++) squares += (sums[window]! - counts[window]! * mean) ** 2;
  return Math.sqrt(squares) / total;
}

function sum(values: Float64Array | Int32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
