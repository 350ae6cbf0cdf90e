import { CompressionError } from '@quern/core';
import { type BaselineEvaluation, compareScores } from './compareScores.ts';
import { type ModelFigures, modelFigures, type TextSizes } from './modelFigures.ts';
import type { WindowScores } from './windowScores.ts';

/** Figures of a model on a text. */
export interface Evaluation extends ModelFigures {
  /** Sum of -ln p over the scored tokens, nats. */
  readonly nllSum: number;
  readonly tokenCount: number;
  /** Words that begin among the scored tokens, as lm-evaluation-harness counts them. */
  readonly wordCount: number;
  readonly baseline?: BaselineEvaluation;
}

/**
 * Turns scores by window into figures. Standard errors take the windows as independent clusters of dependent tokens; see
 * `clusteredMean`. One window alone gives 0: it tells nothing about the spread.
 *
 * `seed` of the paired bootstrap, 0 unless given. Errors: TEXT_TOO_SHORT when no token was scored.
 */
export function summarizeScores(scores: WindowScores, sizes: TextSizes, seed = 0): Evaluation {
  const { nll, tokenCounts, baseline } = scores;
  const tokenCount = add(tokenCounts);
  if (tokenCount === 0) {
    throw new CompressionError(
      'TEXT_TOO_SHORT',
      'No token was scored: the text needs at least two tokens in a window.',
      { windowCount: nll.length },
    );
  }
  return {
    ...modelFigures(scores, tokenCounts, sizes),
    nllSum: add(nll),
    tokenCount,
    wordCount: add(sizes.wordCounts),
    ...(baseline ? { baseline: compareScores({ ...scores, baseline }, sizes, seed) } : {}),
  };
}

function add(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum;
}
