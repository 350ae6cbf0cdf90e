import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { choleskyWhitening } from '../lowRank/choleskyWhitening.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { energyOf } from './energyOf.ts';
import { scaleRows } from './scaleRows.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

/**
 * Weights that read the same input, one above the other: one weight with one Gram. Rows of each are scaled so that a squared distance from
 * the target is the sum of the sites' relative squared errors, but for a common factor.
 *
 * Errors: INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 */
export async function stackSites(
  stacked: readonly Matrix<Float32Array>[],
  statistics: InputStatistics | null,
): Promise<WhitenedWeight> {
  for (const weight of stacked) checkWeight(weight);
  const [gram] = stacked.map(({ columns }) => checkStatistics(statistics, columns).inputGram) as [Matrix<Float64Array>];
  const weights = stacked.map(toFloat64);
  const rowScales = weights.length === 1 ? null : await rowScalesOf(weights, gram);
  const weight = above(weights);
  const whitening = await choleskyWhitening(gram);
  const target = await whitening.apply(rowScales === null ? weight : scaleRows(weight, rowScales));
  return { weight, gram, whitening, target, rowScales };
}

async function rowScalesOf(
  weights: readonly Matrix<Float64Array>[],
  gram: Matrix<Float64Array>,
): Promise<Float64Array> {
  const energies: number[] = [];
  for (const weight of weights) energies.push(await energyOf({ weight, gram }));
  const total = energies.reduce((sum, energy) => sum + energy, 0);
  const scales = energies.map(energy => (energy > 0 ? Math.sqrt(total / (energies.length * energy)) : 1));
  return Float64Array.from(weights.flatMap(({ rows }, index) => new Array<number>(rows).fill(scales[index]!)));
}

function above(weights: readonly Matrix<Float64Array>[]): Matrix<Float64Array> {
  const rows = weights.reduce((sum, weight) => sum + weight.rows, 0);
  const columns = weights[0]!.columns;
  const data = new Float64Array(rows * columns);
  let next = 0;
  for (const weight of weights) {
    data.set(weight.data, next);
    next += weight.data.length;
  }
  return { rows, columns, data };
}
