import { BIN_COUNT } from './calibrationGaps.ts';
import { clusteredMean, type Estimate } from './clusteredMean.ts';

/**
 * Expected calibration error: how far confidence is from being right, sum over bins of |sum of (confidence - right)| / predictions.
 *
 * Source: Guo et al., arXiv:1706.04599, equation 3, with 15 bins. It is never negative, so noise alone gives a little. The standard
 * error takes the side on which each bin lies as given and the clusters as independent.
 *
 * `gaps`: of `calibrationGaps`; `counts`: `[clusterCount]` predictions.
 */
export function calibrationError(gaps: Float64Array, counts: ArrayLike<number>): Estimate {
  return clusteredMean(calibrationShares(gaps), counts);
}

/**
 * What each cluster brings to the calibration error before it is divided by the number of predictions: they add up to it, and those of
 * two models on the same clusters may be subtracted to pair them. `[clusterCount]`
 */
export function calibrationShares(gaps: Float64Array): Float64Array {
  const clusterCount = gaps.length / BIN_COUNT;
  const shares = new Float64Array(clusterCount);
  for (let bin = 0; bin < BIN_COUNT; bin++) {
    let gap = 0;
    for (let cluster = 0; cluster < clusterCount; cluster++) gap += gaps[cluster * BIN_COUNT + bin]!;
    const side = Math.sign(gap);
    for (let cluster = 0; cluster < clusterCount; cluster++) {
      shares[cluster]! += side * gaps[cluster * BIN_COUNT + bin]!;
    }
  }
  return shares;
}
