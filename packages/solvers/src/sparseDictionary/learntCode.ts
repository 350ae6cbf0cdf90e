import type { Convergence } from '@quern/core';
import type { SparseCode } from './sparseCode.ts';

/** A code, and what it left over after each sweep. */
export interface LearntCode extends SparseCode, Pick<Convergence, 'stoppedBy'> {
  /** ||Y - coefficients atoms||_F^2 / ||Y||_F^2 with the coefficients of each sweep. */
  readonly objectives: readonly number[];
}
