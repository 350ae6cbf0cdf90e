import type { Estimate } from '../statistics/clusteredMean.ts';
import type { TaskAnswers } from './answerItems.ts';
import type { TaskItem } from './taskItem.ts';

/** Figures of a model on a task. */
export interface TaskScore {
  /** `acc` of EleutherAI's harness. */
  readonly accuracy: Estimate;
  /** `acc_norm`; null where answers are not of their own length. */
  readonly normalizedAccuracy: Estimate | null;
  /** exp(-mean ln p) of the last word, of all its tokens together; null for other tasks. */
  readonly perplexity: Estimate | null;
  /** What guessing would reach; null for last words. */
  readonly chance: number | null;
}

/** Turns answers into figures. */
export function summarizeAnswers(items: readonly TaskItem[], answers: TaskAnswers): TaskScore {
  const isLastWord = items[0]!.requests.length === 1;
  const guesses = items.reduce((sum, { requests }) => sum + 1 / requests.length, 0);
  return {
    accuracy: shareOf(answers.isRight),
    normalizedAccuracy: answers.isRightNormalized && shareOf(answers.isRightNormalized),
    perplexity: isLastWord ? perplexityOf(answers.goldLogLikelihood) : null,
    chance: isLastWord ? null : guesses / items.length,
  };
}

/** The error is sqrt(p (1 - p) / (n - 1)), as the harness gives it; 0 for one item, which tells nothing about the spread. */
function shareOf(isRight: Uint8Array): Estimate {
  const value = isRight.reduce((sum, right) => sum + right, 0) / isRight.length;
  return { value, standardError: Math.sqrt((value * (1 - value)) / Math.max(1, isRight.length - 1)) };
}

/** The error by the derivative of exp, items as independent. */
function perplexityOf(logLikelihood: Float64Array): Estimate {
  const count = logLikelihood.length;
  const mean = logLikelihood.reduce((sum, value) => sum + value, 0) / count;
  const spread = logLikelihood.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count - 1);
  const value = Math.exp(-mean);
  return { value, standardError: value * Math.sqrt(spread / count) };
}
