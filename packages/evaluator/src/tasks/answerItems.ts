import type { ContinuationScores } from './addContinuation.ts';
import type { TaskItem } from './taskItem.ts';

/** What a model answered, item by item. */
export interface TaskAnswers {
  /** 1 where the right answer is the most likely one, or where the last word is what greedy decoding writes. */
  readonly isRight: Uint8Array;
  /** The same with log-likelihoods divided by the characters of the answer; null where answers are not of their own length. */
  readonly isRightNormalized: Uint8Array | null;
  /** ln p of the right answer, nats. */
  readonly goldLogLikelihood: Float64Array;
}

/**
 * Answers from log-likelihoods, as EleutherAI's harness takes them: `acc` is the largest sum of ln p, `acc_norm` the largest sum divided
 * by the characters (code points, not bytes or tokens) of the answer without its delimiter; the first of equals.
 *
 * `windows[item]` holds the indices of its requests among the scores.
 */
export function answerItems(
  items: readonly TaskItem[],
  windows: readonly (readonly number[])[],
  { logLikelihood, isGreedy }: ContinuationScores,
): TaskAnswers {
  const isRight = new Uint8Array(items.length);
  const isRightNormalized = items[0]?.lengths ? new Uint8Array(items.length) : null;
  const goldLogLikelihood = new Float64Array(items.length);
  for (const [at, { gold, lengths, requests }] of items.entries()) {
    const values = windows[at]!.map(index => logLikelihood[index]!);
    const goldWindow = windows[at]![gold]!;
    goldLogLikelihood[at] = values[gold]!;
    isRight[at] = requests.length === 1 ? isGreedy[goldWindow]! : Number(indexOfLargest(values) === gold);
    if (!isRightNormalized || !lengths) continue;
    isRightNormalized[at] = Number(indexOfLargest(values.map((value, choice) => value / lengths[choice]!)) === gold);
  }
  return { isRight, isRightNormalized, goldLogLikelihood };
}

function indexOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}
