import type { LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { chooseRank, type RankRequest } from './chooseRank.ts';
import type { InputMetric } from './inputMetric.ts';
import { storeFactors } from './storeFactors.ts';
import { toFloat64 } from './toFloat64.ts';
import { truncate } from './truncate.ts';

/**
 * What the low-rank methods have in common: rank, truncation under the method's own metric, storage. `gram` counts the errors of
 * quantised factors; null: as they are.
 */
export async function solveLowRank(
  given: { readonly weight: Matrix<Float32Array>; readonly gram: Matrix<Float64Array> | null },
  metric: InputMetric,
  request: RankRequest,
): Promise<LowRankWeight> {
  const shape = { outFeatures: given.weight.rows, inFeatures: given.weight.columns };
  const rank = chooseRank(shape, request);
  const weight = toFloat64(given.weight);
  const factors = await truncate(weight, metric, rank);
  const stored = await storeFactors({ weight, gram: given.gram }, factors, request);
  return { kind: 'lowRank', ...shape, ...stored, sharedRight: null };
}
