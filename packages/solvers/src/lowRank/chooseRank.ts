import { CompressionError } from '@quern/core';
import { ratioTooHigh } from '../allocation/ratioTooHigh.ts';
import type { SiteShape } from '../solver.ts';
import { type FactorFormat, factorStorageBits } from './factorStorageBits.ts';

/** Either a rank, or the fraction of the 16-bit weight to remove. */
export interface RankRequest extends FactorFormat {
  readonly ratio?: number | undefined;
  readonly rank?: number | undefined;
}

/**
 * The rank that was asked for, or the largest one whose factors take at most (1 - ratio) 16 outFeatures inFeatures bits,
 * at most that of a full weight (of a group: of all its weights stacked).
 *
 * Errors: INVALID_OPTION for a rank above that, and for a ratio that rank 1 does not reach. Cost: one look at every rank.
 */
export function chooseRank(shape: SiteShape, request: RankRequest): number {
  const { outFeatures, inFeatures, siteCount = 1 } = shape;
  const fullRank = Math.min(siteCount * outFeatures, inFeatures);
  const { ratio = 0, rank } = request;
  if (rank !== undefined) {
    if (rank <= fullRank) return rank;
    throw new CompressionError(
      'INVALID_OPTION',
      `rank (${rank}): must be 1..${fullRank} for a weight of ${outFeatures} x ${inFeatures}.`,
      { rank, fullRank, outFeatures, inFeatures },
    );
  }
  const budget = (1 - ratio) * 16 * outFeatures * inFeatures;
  const leastBits = factorStorageBits(shape, 1, request);
  if (leastBits > budget) throw ratioTooHigh(ratio, leastBits, 16 * outFeatures * inFeatures);
  let chosen = 1;
  for (let candidate = 2; candidate <= fullRank; candidate++) {
    if (factorStorageBits(shape, candidate, request) <= budget) chosen = candidate;
  }
  return chosen;
}
