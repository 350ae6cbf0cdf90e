import type { Matrix } from '@quern/linalg';

/** A weight `[outFeatures, inFeatures]`, whitened, as coefficients times atoms. */
export interface SparseCode<Data extends Float32Array | Float64Array = Float64Array> {
  /** `[outFeatures, atomCount]`, mostly 0. */
  readonly coefficients: Matrix<Data>;
  /** `[atomCount, inFeatures]`, rows of norm 1. */
  readonly atoms: Matrix<Data>;
}
