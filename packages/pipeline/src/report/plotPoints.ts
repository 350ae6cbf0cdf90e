import { type AxisScale, axisScale } from './axisScale.ts';
import type { Comparison, ComparisonRow } from './comparison.ts';
import { formatBytes } from './formatBytes.ts';
import { formatFigure } from './formatFigure.ts';
import { frontRows } from './frontRows.ts';
import { methodFamily } from './methodFamily.ts';
import type { PlotMeasure } from './plotMeasure.ts';
import { rowLabel } from './rowLabel.ts';

/** A row as a mark of the Pareto plot. */
export interface PlotPoint {
  readonly label: string;
  readonly title: string;
  readonly family: string;
  readonly storedBytes: number;
  readonly value: number;
  /** Null where it is not known. */
  readonly standardError: number | null;
  readonly isOnFront: boolean;
  /** Above the upper end of the axis; drawn as an arrow at that end. */
  readonly isOffScale: boolean;
}

export interface PlotPoints {
  readonly measure: PlotMeasure;
  /** Smallest first. */
  readonly points: readonly PlotPoint[];
  /** In the order of their smallest rows. */
  readonly families: readonly string[];
  readonly sizeScale: AxisScale;
  readonly valueScale: AxisScale;
}

// What lies far above the best row and above three quarters of the rows shares the upper edge: one useless row must not flatten the
// differences that matter.
const CEILING_RATIO = 1.5;
const CEILING_QUANTILE = 0.75;
const CEILING_OVER_QUANTILE = 1.25;

/** What the Pareto plot draws: every row with a size and a finite value, and the axes that hold them. */
export function plotPoints(comparison: Comparison, measure: PlotMeasure): PlotPoints {
  const front = new Set(frontRows(comparison, measure));
  const rows = comparison.rows.filter(row => Number.isFinite(measure.valueOf(row) ?? Number.NaN));
  const values = rows.map(row => measure.valueOf(row)!);
  const withOriginal = measure.original === null ? values : [...values, measure.original];
  const ceiling = measure.name === 'perplexity' ? ceilingOf(withOriginal) : Number.POSITIVE_INFINITY;
  const ends = rows.flatMap((row, index) => {
    const error = measure.standardErrorOf(row) ?? 0;
    const value = values[index]!;
    // A wide error of one row must not stretch the axis either.
    return value > ceiling ? [] : [Math.max(value - error, value * 0.9), Math.min(value + error, value * 1.1)];
  });
  const valueScale = axisScale([...withOriginal.filter(value => value <= ceiling), ...ends], {
    logarithmicFrom: 2.5,
    // Room for the names below the marks.
    margin: 0.1,
  });
  const points = rows
    .map(row => pointOf(row, measure, { isOnFront: front.has(row), maximum: valueScale.maximum }))
    .toSorted((a, b) => a.storedBytes - b.storedBytes);
  return {
    measure,
    points,
    families: [...new Set(points.map(point => point.family))],
    sizeScale: axisScale(
      points.map(point => point.storedBytes),
      { logarithmicFrom: 3.5 },
    ),
    valueScale,
  };
}

function ceilingOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(CEILING_QUANTILE * (sorted.length - 1))] ?? 0;
  return Math.max(CEILING_RATIO * (sorted[0] ?? 0), CEILING_OVER_QUANTILE * upper);
}

function pointOf(
  row: ComparisonRow,
  measure: PlotMeasure,
  place: { readonly isOnFront: boolean; readonly maximum: number },
): PlotPoint {
  const value = measure.valueOf(row)!;
  const standardError = measure.standardErrorOf(row);
  const error = standardError === null ? '' : ` ± ${formatFigure(standardError, 2)}`;
  const size = `${formatBytes(row.storedBytes)}, ${formatFigure(row.bitsPerWeight, 3)} bits per weight`;
  const front = place.isOnFront ? '; on the Pareto front' : '';
  return {
    label: rowLabel(row),
    title: `${rowLabel(row)}: ${measure.name} ${formatFigure(value)}${error}, ${size}${front}`,
    family: methodFamily(row.method),
    storedBytes: row.storedBytes,
    value,
    standardError,
    isOnFront: place.isOnFront,
    isOffScale: value > place.maximum,
  };
}
