import { decadeTicks } from './decadeTicks.ts';

/** Colours that a page holds for the steps; see {@link stepColor}. */
export const STEP_COLOR_COUNT = 13;

const FINEST_FIRST: readonly (readonly number[])[] = [
  [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8],
  [1, 1.5, 2, 3, 5, 7],
  [1, 2, 5],
  [1, 3],
  [1],
];

/**
 * Round lower edges, rising, of at most thirteen steps of a logarithmic colour scale over the values above 0. The first step holds
 * everything below the second one's edge, the last everything from its edge on. Empty without values.
 */
export function errorSteps(values: readonly number[]): number[] {
  const shown = values.filter(value => Number.isFinite(value) && value > 0);
  if (shown.length === 0) return [];
  const smallest = shown.reduce((a, b) => Math.min(a, b));
  const largest = shown.reduce((a, b) => Math.max(a, b));
  for (const mantissas of FINEST_FIRST) {
    const below = decadeTicks(smallest / 10.001, smallest, mantissas).at(-1)!;
    const edges = [below, ...decadeTicks(smallest, largest, mantissas).filter(edge => edge > below)];
    if (edges.length <= STEP_COLOR_COUNT) return edges;
  }
  return decadeTicks(smallest, largest, [1]).slice(-STEP_COLOR_COUNT);
}

/** The page's colour of a step; few steps are spread over all colours. */
export function stepColor(step: number, stepCount: number): string {
  const position = stepCount > 1 ? step / (stepCount - 1) : 0.5;
  return `var(--heat-${Math.round(position * (STEP_COLOR_COUNT - 1))})`;
}
