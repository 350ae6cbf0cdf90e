import type { SiteShape } from '../solver.ts';
import { chooseRank, type RankRequest } from './chooseRank.ts';
import { factorStorageBits } from './factorStorageBits.ts';

/** Bits of the factors that a low-rank method will give a weight of this shape. Errors: INVALID_OPTION. */
export function lowRankStorageBits(shape: SiteShape, request: RankRequest): number {
  return factorStorageBits(shape, chooseRank(shape, request), request);
}
