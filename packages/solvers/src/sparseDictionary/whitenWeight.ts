import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import type { Whitening } from '../lowRank/inputMetric.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';

/** A weight `[outFeatures, inFeatures]` with what makes errors count as at its output. */
export interface WhitenedWeight {
  readonly weight: Matrix<Float64Array>;
  readonly gram: Matrix<Float64Array>;
  readonly whitening: Whitening;
  /** The weight, its rows times their scales, times the Cholesky factor of its Gram: distances from it are those of outputs. */
  readonly target: Matrix<Float64Array>;
  /** `[outFeatures]`; null where rows count as they are. */
  readonly rowScales: Float64Array | null;
}

/** Errors: INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE. */
export async function whitenWeight(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
): Promise<WhitenedWeight> {
  checkWeight(weight);
  const { inputGram: gram } = checkStatistics(statistics, weight.columns);
  const whitening = await choleskyWhitening(gram);
  const plain = toFloat64(weight);
  return { weight: plain, gram, whitening, target: await whitening.apply(plain), rowScales: null };
}
