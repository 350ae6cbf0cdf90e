import type { InputStatistics } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { cutFactor, type FactorBlock } from '../quantization/cutFactor.ts';
import { dampedHessian, inverseFactor } from '../quantization/dampedHessian.ts';

/** What the Gram of an input says about quantising the weights that read it. */
export interface StepProblem {
  /** The upper factor U of the inverse Hessian, in blocks, inputs in their own order. */
  readonly blocks: readonly FactorBlock[];
  /** Steps in proportion, `[inFeatures]`: U_ii over their geometric mean. */
  readonly steps: Float64Array;
  /** The damped Hessian. */
  readonly hessian: Matrix<Float64Array>;
  /** Inputs that were zero for every token. */
  readonly dead: readonly number[];
  /**
   * Makes up for half the drift of the input: the mean of `weight` and of the weight whose products with the input as it is are nearest to
   * those of `weight` with the input as it was, W (C + lambda I) H^-1 for the cross-Gram C scaled like H; `weight` itself where nothing
   * drifted.
   */
  readonly targetOf: (weight: Matrix<Float32Array>) => Promise<Matrix<Float32Array>>;
}

/**
 * Share of the drift that is corrected. Least squares take most of what earlier blocks lost for noise and shrink a weight against
 * it; over many blocks the whole correction does more harm than none.
 */
const DRIFT_SHARE = 0.5;
/** Columns of U that are carried on together. */
const BLOCK_SIZE = 128;

/**
 * Factorises the damped Hessian of an input and waterfills the steps: the recursion loses sum_i (error_i / U_ii)^2, so steps
 * proportional to U_ii make every input cost the same.
 *
 * Source: arXiv:2603.04956; drift correction as Qronos has it, by half. Errors: NOT_POSITIVE_DEFINITE.
 * Cost: inFeatures^3 / 2 multiply-adds, 2 inFeatures^3 more with a cross-Gram; three to six matrices of 8 inFeatures^2 bytes.
 */
export async function stepProblem(statistics: InputStatistics, dampingFraction: number): Promise<StepProblem> {
  const { matrix, dead, order } = dampedHessian(statistics, dampingFraction, false);
  const copy = { ...matrix, data: matrix.data.slice() };
  const factor = await inverseFactor({ matrix: copy, dead, order }, dampingFraction);
  const n = factor.rows;
  const steps = Float64Array.from({ length: n }, (_, input) => factor.data[input * n + input]!);
  const mean = 2 ** (steps.reduce((sum, step) => sum + Math.log2(step), 0) / n);
  const drift = await driftOf(statistics, matrix, factor);
  return {
    blocks: cutFactor(factor, BLOCK_SIZE, 1),
    steps: steps.map(step => step / mean),
    hessian: matrix,
    dead,
    targetOf: async weight => (drift ? gemm(weight, drift) : weight),
  };
}

/** (H + s (C - G)) H^-1 for the share s, in float32, [inFeatures, inFeatures]; null without a cross-Gram. */
async function driftOf(
  { inputGram, crossGram, tokenCount }: InputStatistics,
  hessian: Matrix<Float64Array>,
  factor: Matrix<Float64Array>,
): Promise<Matrix<Float32Array> | null> {
  if (!crossGram) return null;
  const scale = (2 * DRIFT_SHARE) / tokenCount;
  const data = hessian.data.map((value, at) => value + (crossGram.data[at]! - inputGram.data[at]!) * scale);
  const half = await gemm({ ...hessian, data }, factor, { transposeB: true });
  const drift = await gemm(half, factor);
  return { ...drift, data: Float32Array.from(drift.data) };
}
