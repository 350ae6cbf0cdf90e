/** How values lie along an axis: plain, or by their logarithm. */
export interface AxisScale {
  readonly logarithmic: boolean;
  /** Ends of the axis, in values. */
  readonly minimum: number;
  readonly maximum: number;
  /** Where a value lies; values off the axis lie at its nearer end. */
  readonly position: (value: number) => number;
}

export interface AxisScaleOptions {
  /** Logarithmic from this ratio of the largest to the smallest value on. */
  readonly logarithmicFrom: number;
  /** Values above it are not looked at. */
  readonly ceiling?: number;
  /** Part of the range that is left free at each end; .06 when left out. */
  readonly margin?: number;
}

/**
 * An axis that holds the given values with a margin at both ends. Values that are not finite, and those at or below 0, which a
 * logarithm cannot show, do not widen it.
 */
export function axisScale(values: readonly number[], options: AxisScaleOptions): AxisScale {
  const ceiling = options.ceiling ?? Number.POSITIVE_INFINITY;
  const shown = values.filter(value => Number.isFinite(value) && value > 0 && value <= ceiling);
  const smallest = shown.length > 0 ? Math.min(...shown) : 1;
  const largest = shown.length > 0 ? Math.max(...shown) : 1;
  const logarithmic = largest / smallest >= options.logarithmicFrom;
  const forward = logarithmic ? Math.log10 : (value: number) => value;
  const backward = logarithmic ? (position: number) => 10 ** position : (position: number) => position;
  const low = forward(smallest);
  const high = forward(largest);
  const margin = (options.margin ?? 0.06) * (high > low ? high - low : Math.abs(largest) || 1);
  const start = logarithmic ? low - margin : Math.max(0, low - margin);
  const end = high + margin;
  return {
    logarithmic,
    minimum: backward(start),
    maximum: backward(end),
    position: value => Math.min(end, Math.max(start, value > 0 || !logarithmic ? forward(value) : start)),
  };
}
