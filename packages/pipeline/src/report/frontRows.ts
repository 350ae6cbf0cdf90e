import type { Comparison, ComparisonRow } from './comparison.ts';
import { paretoFront } from './paretoFront.ts';
import type { PlotMeasure } from './plotMeasure.ts';

/** The rows of the Pareto front of the measure against stored bytes, smallest first. */
export function frontRows(comparison: Comparison, measure: PlotMeasure): ComparisonRow[] {
  const trades = comparison.rows.map(row => {
    const loss = measure.valueOf(row);
    return loss === null ? null : { cost: row.storedBytes, loss };
  });
  return paretoFront(trades).map(index => comparison.rows[index]!);
}
