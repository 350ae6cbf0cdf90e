import type { WindowScores } from '@quern/evaluator';
import type { DocumentScore } from '../report/evaluation/evaluationReport.ts';

/** The scores of each window that has any, as a report holds them; with the index of its window. */
export function documentScores(scores: WindowScores): (DocumentScore & { readonly window: number })[] {
  const { nll, tokenCounts, baseline } = scores;
  if (!baseline) return [];
  return Array.from(tokenCounts, (tokenCount, window) => ({
    window,
    tokenCount,
    before: rounded(baseline.nll[window]! / tokenCount),
    after: rounded(nll[window]! / tokenCount),
    klDivergence: rounded(baseline.klDivergence[window]! / tokenCount),
    lost: baseline.lost[window]!,
    gained: baseline.gained[window]!,
  })).filter(({ tokenCount }) => tokenCount > 0);
}

/** Six digits: enough to draw, and a file of thousands of windows stays small. */
export function rounded(value: number): number {
  return Number(value.toPrecision(6));
}
