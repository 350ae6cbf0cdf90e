import type { Convergence } from '@quern/core';
import type { Matrix } from '@quern/linalg';

/** Atoms that several sites have in common and the coefficients of each, and what they left over after each sweep. */
export interface SharedCode extends Pick<Convergence, 'stoppedBy'> {
  /** `[atomCount, inFeatures]`. */
  readonly atoms: Matrix<Float64Array>;
  /** `[outFeatures, atomCount]`, mostly 0; one for each site. */
  readonly coefficients: readonly Matrix<Float64Array>[];
  /** Of the group as its method counts, such as sum_i ||(W_i - C_i D) X_i||_F^2 / sum_i ||W_i X_i||_F^2, after each sweep. */
  readonly objectives: readonly number[];
  /** What each site left over, as a share of its own output: it may rise where the sum falls. */
  readonly siteObjectives: readonly (readonly number[])[];
}
