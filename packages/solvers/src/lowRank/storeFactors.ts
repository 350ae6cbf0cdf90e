import type { DenseWeight, Factor, QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { toDenseWeight } from '../toDenseWeight.ts';
import { balanceFactors, type FactorPair } from './balanceFactors.ts';
import type { FactorFormat } from './factorStorageBits.ts';
import { fitLeft } from './fitLeft.ts';
import { quantizeFactor } from './quantizeFactor.ts';
import { spreadComponents } from './spreadComponents.ts';

/** Of GPTQ on the left factor: its Gram is known exactly, so less than usual is better; measured at 2 to 4 bits. */
const LEFT_DAMPING = 1e-3;

export interface StoredFactors {
  /** `[outFeatures, rank]`. */
  readonly left: Factor;
  /** `[rank, inFeatures]`. */
  readonly right: Factor;
}

/** A weight `[outFeatures, inFeatures]` and how its errors count. */
export interface FactorProblem {
  readonly weight: Matrix<Float64Array>;
  /** `[inFeatures, inFeatures]`; null: the identity. */
  readonly gram: Matrix<Float64Array> | null;
}

/**
 * Rounds the factors of a weight to what is stored: float16, or grids of 2..8 bits.
 *
 * On grids the right factor goes first, and the left one follows it. In float16 following gains less than 2 % of the error below
 * full rank, and does not take place.
 * Errors: SOLVER_FAILED for values and scales above 65504. Cost: on grids rank inFeatures^2 multiply-adds and those of GPTQ.
 */
export async function storeFactors(
  problem: FactorProblem,
  factors: FactorPair,
  format: FactorFormat,
): Promise<StoredFactors> {
  const right = await storeRight(problem, factors, format);
  if (format.bits !== 16) return { left: await followRight(problem, right, format), right };
  return { left: toDenseWeight(balanceFactors(factors).left, 'The left factor'), right };
}

/**
 * The right factor as it is stored; on grids by GPTQ with the Gram of its inputs, row by row, rounded to nearest where there is
 * none. Its rows would be problems of their own if the columns of the left factor were orthonormal; balanced and spread they nearly
 * are, and the left factor has less error then.
 */
export async function storeRight(
  problem: FactorProblem,
  factors: FactorPair,
  format: FactorFormat,
): Promise<DenseWeight | QuantizedWeight> {
  const balanced = balanceFactors(factors);
  if (format.bits === 16) return toDenseWeight(balanced.right, 'The right factor');
  const { right } = await spreadComponents(balanced);
  return quantizeFactor(right, problem.gram, format);
}

/**
 * The left factor that fits a right one as it is stored: least squares under the problem's Gram G, then rounded; on grids by GPTQ
 * with the Gram of what the right factor gives, right G right^T.
 */
export async function followRight(problem: FactorProblem, right: Factor, format: FactorFormat): Promise<Factor> {
  const { left, outputGram } = await fitLeft(problem, right);
  if (format.bits === 16) return toDenseWeight(left, 'The left factor');
  return quantizeFactor(left, outputGram, format, LEFT_DAMPING);
}
