import { z } from 'zod';
import { factorOptions } from '../lowRank/lowRankOptions.ts';
import { parseOptions } from '../parseOptions.ts';
import type { RankAllocation, SolverOptions } from '../solver.ts';
import { allocateByTruncationLoss } from './allocateByTruncationLoss.ts';
import { allocatePooled } from './allocatePooled.ts';
import { allocateUniform } from './allocateUniform.ts';
import type { AllocationRequest } from './allocationRequest.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';

const ALLOCATIONS: Readonly<Record<RankAllocation, (request: AllocationRequest) => Map<string, SiteChoice>>> = {
  uniform: allocateUniform,
  pooled: allocatePooled,
  truncationLoss: allocateByTruncationLoss,
};

const formatOptions = z.object(factorOptions);

/**
 * Spreads a ratio over sites of one low-rank method: a rank for each, or 'dense', by the site's name. All stored bits together are
 * at most (1 - ratio) of the 16-bit weights, and as near to that as one component allows.
 *
 * `options` are the method's: `ratio`, and `bits` and `groupSize` of the factors. Errors: INVALID_OPTION for a ratio out of reach.
 */
export function allocate(
  allocation: RankAllocation,
  sites: readonly SiteSpectrum[],
  options: SolverOptions & { readonly ratio: number },
): ReadonlyMap<string, SiteChoice> {
  const format = parseOptions(formatOptions, options, allocation);
  return ALLOCATIONS[allocation]({ sites, ratio: options.ratio, format });
}
