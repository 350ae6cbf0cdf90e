import type { Matrix } from '@quern/linalg';

/** A weight `[outFeatures, inFeatures]`, whitened, as coefficients times atoms. */
export interface SparseCode {
  /** `[outFeatures, atomCount]`, mostly 0. */
  readonly coefficients: Matrix<Float64Array>;
  /** `[atomCount, inFeatures]`, rows of norm 1. */
  readonly atoms: Matrix<Float64Array>;
}
