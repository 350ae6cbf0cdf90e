import { CompressionError, type InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';

/**
 * Checks that weights can share a factor: all of one shape, each with its statistics. Gives their Grams.
 *
 * Errors: INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED.
 */
export function checkGroup(
  weights: readonly Matrix<Float32Array>[],
  statistics: readonly (InputStatistics | null)[],
): Matrix<Float64Array>[] {
  for (const weight of weights) checkWeight(weight);
  const shapes = new Set(weights.map(({ rows, columns }) => `${rows} x ${columns}`));
  if (shapes.size === 1 && weights.length === statistics.length) {
    return statistics.map((each, index) => checkStatistics(each, weights[index]!.columns).inputGram);
  }
  throw new CompressionError(
    'INVALID_SHAPE',
    `A group shares a factor among weights of one shape, each with its statistics; these are ${weights.length} of ${[...shapes].join(', ')} with ${statistics.length} statistics.`,
    { shapes: [...shapes], weightCount: weights.length, statisticsCount: statistics.length },
  );
}
