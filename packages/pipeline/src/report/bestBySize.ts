import type { Comparison, ComparisonRow } from './comparison.ts';
import type { PlotMeasure } from './plotMeasure.ts';

/** The best row of a range of sizes. */
export interface BestRow {
  readonly range: string;
  readonly row: ComparisonRow;
  /** Rows of the range that have a figure. */
  readonly rowCount: number;
}

// Half-open ranges of stored bits per weight around the usual widths.
const RANGES: readonly (readonly [number, string])[] = [
  [1.5, 'below 1.5'],
  [2.5, '1.5 to 2.5'],
  [3.5, '2.5 to 3.5'],
  [4.5, '3.5 to 4.5'],
  [6, '4.5 to 6'],
  [9, '6 to 9'],
  [Number.POSITIVE_INFINITY, '9 and more'],
];

/** For each range of bits per weight that holds rows, the row of the smallest measure; of equal ones the smallest row. */
export function bestBySize(comparison: Comparison, measure: PlotMeasure): BestRow[] {
  return RANGES.flatMap(([end, range], index) => {
    const start = RANGES[index - 1]?.[0] ?? 0;
    const rows = comparison.rows.filter(
      row =>
        row.bitsPerWeight >= start && row.bitsPerWeight < end && Number.isFinite(measure.valueOf(row) ?? Number.NaN),
    );
    const best = rows.toSorted((a, b) => measure.valueOf(a)! - measure.valueOf(b)! || a.storedBytes - b.storedBytes)[0];
    return best ? [{ range, row: best, rowCount: rows.length }] : [];
  });
}
