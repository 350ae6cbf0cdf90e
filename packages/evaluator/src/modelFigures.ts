import { calibrationError } from './statistics/calibrationError.ts';
import { clusteredMean } from './statistics/clusteredMean.ts';
import type { ModelScores } from './windowScores.ts';

/** The sizes of scored texts by window, which losses are divided by. */
export interface TextSizes {
  /** `[windowCount]` UTF-8 bytes of the decoded scored tokens. */
  readonly byteCounts: ArrayLike<number>;
  /** `[windowCount]` words that begin among the scored tokens, as lm-evaluation-harness counts them. */
  readonly wordCounts: ArrayLike<number>;
}

/** Figures of one model on a text, each with its standard error over windows. */
export interface ModelFigures {
  /** exp(nllSum / tokenCount). */
  readonly perplexity: number;
  /** Of the perplexity. */
  readonly standardError: number;
  /** exp(nllSum / wordCount); null where no word begins in the scored text. */
  readonly wordPerplexity: number | null;
  readonly wordPerplexityStandardError: number | null;
  /** nllSum / (ln 2 * UTF-8 bytes of the scored text): compares models with different tokenizers. */
  readonly bitsPerByte: number;
  readonly bitsPerByteStandardError: number;
  /** Fraction of scored tokens than which the model finds no other more likely. */
  readonly accuracy: number;
  readonly accuracyStandardError: number;
  /** Expected calibration error of the most likely token's probability: 0..1. */
  readonly calibrationError: number;
  readonly calibrationErrorStandardError: number;
}

/** Figures from scores by window; `tokenCounts`, at least one of them above 0, are its scored tokens. */
export function modelFigures(scores: ModelScores, tokenCounts: Int32Array, sizes: TextSizes): ModelFigures {
  const loss = clusteredMean(scores.nll, tokenCounts);
  const wordLoss = clusteredMean(scores.nll, sizes.wordCounts);
  const byteLoss = clusteredMean(scores.nll, sizes.byteCounts);
  const accuracy = clusteredMean(scores.right, tokenCounts);
  const calibration = calibrationError(scores.gaps, tokenCounts);
  const perplexity = Math.exp(loss.value);
  const wordPerplexity = Number.isFinite(wordLoss.value) ? Math.exp(wordLoss.value) : null;
  return {
    perplexity,
    // d exp(m) = exp(m) dm.
    standardError: perplexity * loss.standardError,
    wordPerplexity,
    wordPerplexityStandardError: wordPerplexity === null ? null : wordPerplexity * wordLoss.standardError,
    bitsPerByte: byteLoss.value / Math.LN2,
    bitsPerByteStandardError: byteLoss.standardError / Math.LN2,
    accuracy: accuracy.value,
    accuracyStandardError: accuracy.standardError,
    calibrationError: calibration.value,
    calibrationErrorStandardError: calibration.standardError,
  };
}
