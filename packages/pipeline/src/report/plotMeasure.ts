import type { Comparison, ComparisonRow } from './comparison.ts';

/** The loss that a report is drawn and judged by. */
export interface PlotMeasure {
  readonly name: 'perplexity' | 'relative output error';
  readonly valueOf: (row: ComparisonRow) => number | null;
  readonly standardErrorOf: (row: ComparisonRow) => number | null;
  /** The original model's value; null where there is none to draw. */
  readonly original: number | null;
}

/** Perplexity where any row has one, otherwise the mean relative output error. */
export function plotMeasure(comparison: Comparison): PlotMeasure {
  if (comparison.rows.some(row => row.failure === null && row.perplexity !== null)) {
    return {
      name: 'perplexity',
      valueOf: row => (row.failure === null ? row.perplexity : null),
      standardErrorOf: row => row.standardError,
      original: comparison.original.perplexity,
    };
  }
  return {
    name: 'relative output error',
    valueOf: row => (row.failure === null ? row.relativeOutputError : null),
    standardErrorOf: () => null,
    original: null,
  };
}
