/** A figure and how far chance alone moves it. */
export interface Estimate {
  readonly value: number;
  /** One standard error; 0 where a single cluster tells nothing about the spread. */
  readonly standardError: number;
}

/**
 * Mean per member of values that come in clusters: tokens of a window, answers of a passage.
 *
 * Members of one cluster may depend on each other in any way, clusters do not. With a sum s_w over the n_w members of cluster w and the
 * mean m = sum s_w / sum n_w, the standard error is sqrt(sum (s_w - n_w m)^2) / sum n_w: the ratio estimator (Cochran, Sampling
 * Techniques, 3rd edition, section 6.4) without the factor for a small number of clusters.
 *
 * `sums`, `counts`: `[clusterCount]`; clusters without members do not matter. Paired differences go in as they are. Cost: two passes.
 */
export function clusteredMean(sums: ArrayLike<number>, counts: ArrayLike<number>): Estimate {
  let [sum, total] = [0, 0];
  for (let cluster = 0; cluster < sums.length; cluster++) {
    sum += sums[cluster]!;
    total += counts[cluster]!;
  }
  const value = sum / total;
  let squares = 0;
  for (let cluster = 0; cluster < sums.length; cluster++) {
    squares += (sums[cluster]! - counts[cluster]! * value) ** 2;
  }
  return { value, standardError: Math.sqrt(squares) / total };
}
