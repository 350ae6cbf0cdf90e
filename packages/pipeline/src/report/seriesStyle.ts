/** How one family is drawn: a colour, a symbol and a line that no other of the first 16 families shares. */
export interface SeriesStyle {
  readonly color: string;
  readonly symbol: string;
  readonly hollow: boolean;
}

export const SERIES_COLOR_COUNT = 8;

/** Told apart without colour. The paths are drawn in a square of 10 by 10. */
const SYMBOLS: readonly string[] = [
  'circle',
  'rect',
  'triangle',
  'diamond',
  'path://M0 0H10L5 10Z',
  'path://M3.4 0H6.6V3.4H10V6.6H6.6V10H3.4V6.6H0V3.4H3.4Z',
  'path://M5 0L10 3.8L8.1 10H1.9L0 3.8Z',
  'path://M0 2L2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5Z',
];

/** The style of the family with this index; colours are the page's variables, so that they follow its scheme. */
export function seriesStyle(index: number): SeriesStyle {
  return {
    color: `var(--series-${index % SERIES_COLOR_COUNT})`,
    symbol: SYMBOLS[index % SYMBOLS.length]!,
    hollow: Math.floor(index / SYMBOLS.length) % 2 === 1,
  };
}
