import { expect, it } from 'vitest';
import type { PlannedFigure } from './planSizes.ts';
import { totalFigure } from './totalFigure.ts';

it.each<[PlannedFigure[], PlannedFigure]>([
  [[], 'exact'],
  [['exact', 'exact'], 'exact'],
  [['atMost', 'exact'], 'atMost'],
  [['exact', 'target'], 'target'],
  [['atLeast', 'exact'], 'atLeast'],
  [['target', 'atMost'], 'estimate'],
  [['estimate', 'atMost'], 'estimate'],
])('%j make a sum that is %s', (figures, total) => {
  expect(totalFigure(figures.map(figure => ({ figure })))).toBe(total);
});
