import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { eigenWhitening } from './eigenWhitening.ts';
import { gramMetric } from './inputMetric.ts';
import { type LowRankOptions, lowRankOptions } from './lowRankOptions.ts';
import { solveLowRank } from './solveLowRank.ts';

/**
 * SVD-LLM V2: SVD-LLM with the whitening taken from the eigenvectors of the Gram, which may be singular.
 *
 * Objective: ||(W - left right) X||_F for the calibration inputs X. Where the Gram is positive definite the result is that of
 * svdLlm but for rounding; what it gains at equal bytes comes from the allocation of ranks, see allocateByTruncationLoss.
 * Source: arXiv:2503.12340, "loss-optimized weight truncation". Differs from it: one eigen decomposition of the smaller side in place of the second SVD.
 * `weight` `[outFeatures, inFeatures]` and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED.
 * Cost: see truncate, and with fewer inputs than outputs an eigen decomposition of the Gram.
 */
export async function svdLlmV2(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: LowRankOptions,
): Promise<LowRankWeight> {
  const settings = parseOptions(lowRankOptions, options, 'svd-llm-v2');
  checkWeight(weight);
  const { inputGram } = checkStatistics(statistics, weight.columns);
  return solveLowRank({ weight, gram: inputGram }, gramMetric(inputGram, eigenWhitening), settings);
}
