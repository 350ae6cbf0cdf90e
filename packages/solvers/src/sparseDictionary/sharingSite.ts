import type { Matrix } from '@quern/linalg';

/** A weight `[outFeatures, inFeatures]` of several that have a dictionary in common, with its own Gram `[inFeatures, inFeatures]`. */
export interface SharingSite {
  readonly weight: Matrix<Float64Array>;
  readonly gram: Matrix<Float64Array>;
}
