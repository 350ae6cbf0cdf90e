import type { PlannedFigure } from '@quern/pipeline';

/** What a planned size says of the file, in words. */
export const figureNames: Readonly<Record<PlannedFigure, string>> = {
  exact: 'exact',
  atMost: 'at most',
  target: 'target',
  atLeast: 'at least',
  estimate: 'estimate',
};
