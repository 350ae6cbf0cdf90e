import type { Matrix } from '@quern/linalg';

/** What calibration knows of one site's input x `[inFeatures]`. Sums, not means: statistics of two texts merge by adding. */
export interface InputStatistics {
  /** Sum over tokens of x x^T, `[inFeatures, inFeatures]`, raw. */
  readonly inputGram: Matrix<Float64Array>;
  /** Tokens summed into `inputGram`. */
  readonly tokenCount: number;
  /** Mean over tokens of |x_i|, `[inFeatures]`. */
  readonly meanAbsolute: Float64Array;
  /** Sum over tokens of x_original x^T, where x comes from the compressed prefix. */
  readonly crossGram?: Matrix<Float64Array>;
}
