/** Bins of equal width that confidences fall into, as in Guo et al. */
export const BIN_COUNT = 15;

/** Empty gaps of so many clusters: `[clusterCount, BIN_COUNT]`. */
export function calibrationGaps(clusterCount: number): Float64Array {
  return new Float64Array(clusterCount * BIN_COUNT);
}

/**
 * Adds a prediction to the gaps of its cluster: confidence less 1 where it was right, in the bin of its confidence.
 * `confidence`: the probability, in 0..1, that the model gave to what it found most likely. Bins are closed above: (0, 1/15], ...
 */
export function addPrediction(gaps: Float64Array, cluster: number, confidence: number, isRight: boolean): void {
  const bin = Math.min(BIN_COUNT - 1, Math.max(0, Math.ceil(confidence * BIN_COUNT) - 1));
  gaps[cluster * BIN_COUNT + bin]! += confidence - (isRight ? 1 : 0);
}
