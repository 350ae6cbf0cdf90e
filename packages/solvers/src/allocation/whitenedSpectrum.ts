import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import { gramMetric, scaleMetric } from '../lowRank/inputMetric.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { truncate } from '../lowRank/truncate.ts';

/** What an allocation reads of a weight. */
export interface WhitenedSpectrum {
  /** Of W S with S S^T = the Gram: what each component is worth at the outputs. Descending, min(outFeatures, inFeatures). */
  readonly singularValues: Float64Array;
  /** Sum of their squares: tr(W G W^T). */
  readonly energy: number;
}

/**
 * The singular values of a whitened weight; without statistics, those of the weight.
 *
 * Errors: INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE. Cost: that of truncate.
 */
export async function whitenedSpectrum(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
): Promise<WhitenedSpectrum> {
  checkWeight(weight);
  const metric =
    statistics === null
      ? scaleMetric(new Float64Array(weight.columns).fill(1))
      : gramMetric(checkStatistics(statistics, weight.columns).inputGram, choleskyWhitening);
  const { singularValues } = await truncate(toFloat64(weight), metric, 1);
  return { singularValues, energy: singularValues.reduce((sum, value) => sum + value * value, 0) };
}
