import { clusteredMean, type Estimate } from './clusteredMean.ts';

/** Half the width of a 95 % interval, in standard errors. */
const NORMAL_95 = 1.959964;

/**
 * The value below which a share of all values lies, and its standard error with clusters of dependent values.
 *
 * Exact: linear between the two nearest order statistics (Hyndman and Fan's type 7, what NumPy does), so it does not depend on the order
 * in which values came. Standard error after Woodruff, J. Am. Stat. Assoc. 47 (1952): the share below the value has a standard error by
 * clusters; the values at the ends of its 95 % interval are a 95 % interval of the percentile, 2 x 1.96 standard errors wide.
 *
 * `values`: cluster after cluster, all finite, at least one; `counts`: `[clusterCount]` values of each cluster; `share`: 0..1.
 * Cost: a sort of a copy.
 */
export function percentile(values: Float32Array | Float64Array, counts: ArrayLike<number>, share: number): Estimate {
  const sorted = values.toSorted();
  const value = at(sorted, share);
  const above = new Float64Array(counts.length);
  let index = 0;
  for (let cluster = 0; cluster < counts.length; cluster++) {
    for (const end = index + counts[cluster]!; index < end; index++) if (values[index]! > value) above[cluster]!++;
  }
  const reach = NORMAL_95 * clusteredMean(above, counts).standardError;
  const [low, high] = [at(sorted, Math.max(0, share - reach)), at(sorted, Math.min(1, share + reach))];
  return { value, standardError: (high - low) / (2 * NORMAL_95) };
}

function at(sorted: Float32Array | Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (place - below) * (high - low);
}
