import { type LowRankWeight, reconstruct } from '@quern/core';
import { sharedFactorName } from '../lowRank/sharedFactorName.ts';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { toDenseWeight } from '../toDenseWeight.ts';
import { energyOf } from './energyOf.ts';
import { fitOnSupport } from './fitOnSupport.ts';
import { metricEquations } from './metricEquations.ts';
import { normalizeRows } from './normalizeRows.ts';
import { padSupport } from './padSupport.ts';
import { remainder } from './remainder.ts';
import type { SharedCode } from './sharedCode.ts';
import type { SharingSite } from './sharingSite.ts';
import { toSparse } from './toSparse.ts';

const FIT_STEPS = 12;

/**
 * Coefficients of several sites and the atoms that they have in common, as they are stored: atoms of norm 1 in float16, the coefficients
 * of each site fitted to them by its own Gram, exactly `nonzeroCount` in every site.
 *
 * Errors: SOLVER_FAILED for values above 65504. Cost: a site takes that of metricEquations and 13 outFeatures atomCount^2 multiply-adds.
 */
export async function storeSharedCode(
  sites: readonly SharingSite[],
  { atoms, coefficients, siteObjectives, stoppedBy }: SharedCode,
  nonzeroCount: number,
): Promise<LowRankWeight[]> {
  const unit = { ...atoms, data: atoms.data.slice() };
  const norms = normalizeRows(unit);
  const right = toDenseWeight(unit, 'The dictionary');
  const sharedRight = { name: sharedFactorName(right), siteCount: sites.length };
  const stored = toFloat64(await reconstruct(right));
  const results: LowRankWeight[] = [];
  for (const [index, site] of sites.entries()) {
    const given = coefficients[index]!;
    const scaled = { ...given, data: given.data.map((value, place) => value * norms[place % given.columns]!) };
    const support = padSupport(scaled, nonzeroCount);
    const equations = await metricEquations(site, stored);
    const { data } = toDenseWeight(await fitOnSupport(support, equations, FIT_STEPS), 'The coefficients');
    const energy = await energyOf(site);
    const values = { ...support, data: Float64Array.from(data) };
    const remaining = energy > 0 ? await remainder(values, equations, energy) : 0;
    const convergence = { objectives: [...siteObjectives[index]!, remaining], stoppedBy };
    const { rows: outFeatures, columns: inFeatures } = site.weight;
    const left = toSparse(data, support);
    results.push({ kind: 'lowRank', outFeatures, inFeatures, left, right, sharedRight, convergence });
  }
  return results;
}
