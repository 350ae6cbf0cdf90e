import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { choleskyWhitening } from './choleskyWhitening.ts';
import { gramMetric } from './inputMetric.ts';
import { type LowRankOptions, lowRankOptions } from './lowRankOptions.ts';
import { solveLowRank } from './solveLowRank.ts';

/**
 * SVD-LLM: truncates the singular values of the whitened weight, which are the losses of the outputs.
 *
 * Objective: ||(W - left right) X||_F for the calibration inputs X, exactly: the square is the sum of the squared dropped values.
 * Source: arXiv:2403.07378, "truncation-aware data whitening" (the update by LoRA training is not part of it).
 * Differs from it: float64; one eigen decomposition of the smaller side in place of an SVD; the Cholesky factor is needed only
 * where inputs are fewer than outputs, and a singular Gram is shifted as shiftedCholesky says, never skipped.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: see truncate, and inFeatures^3 / 6 multiply-adds for the Cholesky factor.
 */
export async function svdLlm(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: LowRankOptions,
): Promise<LowRankWeight> {
  const settings = parseOptions(lowRankOptions, options, 'svd-llm');
  checkWeight(weight);
  const { inputGram } = checkStatistics(statistics, weight.columns);
  return solveLowRank({ weight, gram: inputGram }, gramMetric(inputGram, choleskyWhitening), settings);
}
