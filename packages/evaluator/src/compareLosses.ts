import { clusteredMean } from './statistics/clusteredMean.ts';

/** How much worse one model is than another on the same windows. */
export interface LossDifference {
  /** Mean of (nll - baseline nll) per token, nats: positive when the model is worse. */
  readonly nllDifference: number;
  /** Of `nllDifference`, paired over windows: what makes a window hard for both cancels, so small differences show. */
  readonly nllDifferenceStandardError: number;
}

/** The difference of losses by window, `[windowCount]` each. */
export function compareLosses(nll: Float64Array, baselineNll: Float64Array, tokenCounts: Int32Array): LossDifference {
  const { value, standardError } = clusteredMean(difference(nll, baselineNll), tokenCounts);
  return { nllDifference: value, nllDifferenceStandardError: standardError };
}

/** after - before, element by element. */
export function difference(after: ArrayLike<number>, before: ArrayLike<number>): Float64Array {
  return Float64Array.from(after, (value, index) => value - before[index]!);
}
