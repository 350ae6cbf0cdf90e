import { mcnemarTest } from '../statistics/mcnemarTest.ts';
import type { TaskAnswers } from './answerItems.ts';

/** Answers that changed between two models. */
export interface Flips {
  /** Right with the baseline, wrong now. */
  readonly lost: number;
  /** Wrong with the baseline, right now. */
  readonly gained: number;
  /** Exact McNemar test: that answers are lost as often as gained. */
  readonly pValue: number;
}

export interface TaskComparison {
  readonly accuracy: Flips;
  readonly normalizedAccuracy: Flips | null;
}

/** Which answers changed from a baseline's on the same items, and whether chance explains it. */
export function compareAnswers(answers: TaskAnswers, baseline: TaskAnswers): TaskComparison {
  const { isRight, isRightNormalized } = answers;
  return {
    accuracy: flipsOf(isRight, baseline.isRight),
    normalizedAccuracy: isRightNormalized && flipsOf(isRightNormalized, baseline.isRightNormalized!),
  };
}

function flipsOf(isRight: Uint8Array, wasRight: Uint8Array): Flips {
  let [lost, gained] = [0, 0];
  for (let item = 0; item < isRight.length; item++) {
    if (wasRight[item]! > isRight[item]!) lost++;
    if (isRight[item]! > wasRight[item]!) gained++;
  }
  return { lost, gained, pValue: mcnemarTest(lost, gained) };
}
