import { allocateBits, type RatedSite } from '@quern/solvers';
import type { LossRun } from '../measure/measureLosses.ts';
import type { Material } from '../open/material.ts';
import type { Recipe } from '../recipe.ts';
import { budgetsOf } from './budgetsOf.ts';
import { groupPlans, isStacked } from './groupPlans.ts';
import { rateCurves } from './rateCurves.ts';
import { sensitivitiesOf } from './sensitivitiesOf.ts';
import { allocationOf, type SitePlan, shapeIn, solverOf, spreadsBits } from './sitePlan.ts';
import { type OriginalRun, solveOnOriginal } from './solveOnOriginal.ts';

/** What a weight takes as it is. */
const DENSE_BITS = 16;
/** Below it nothing is removed but rounding. */
const SMALLEST_RATIO = 1e-9;

/**
 * Plans whose bits, or ratio, are a mean over their sites get their own: those that together take as much and lose least, by
 * the sum of relative squared errors ('pooled') or by how much each raises the model's loss ('sensitivity'). A site whose bits reach 16
 * stays as it is; one whose format cannot take as many takes what it can. Sites that are one weight to their solver get one ratio. All other plans stay as they are. Plans of one solver with the same options share a budget.
 *
 * Up to three passes on the original model: for sensitivities every site at the mean, and the divergence that each causes alone, or with those it is one
 * weight with; for all, what each loses at falling rates.
 */
export async function spreadBits(
  run: OriginalRun & LossRun,
  plans: readonly SitePlan[],
  recipe: Pick<Recipe, 'allocation'>,
  material: Material,
): Promise<SitePlan[]> {
  const spread = plans.filter(plan => spreadsBits(plan, recipe));
  if (spread.length === 0) return [...plans];
  const byRatio = spread.filter(plan => plan.options.ratio !== undefined);
  const byBits = spread.filter(plan => plan.options.ratio === undefined);
  const single = byBits.map(plan => [plan]);
  const budgets = budgetsOf(byRatio).map(({ plans: members, ratio }) => ({ units: unitsOf(members), ratio }));
  const units: Unit[] = [...single, ...budgets.flatMap(budget => budget.units)];
  const weighted = units.filter(([plan]) => allocationOf(plan!, recipe) === 'sensitivity');
  const keys = await solveOnOriginal(run, weighted.flat());
  const sensitivities = await sensitivitiesOf(run, weighted, keys, material);
  const curves = await rateCurves(run, units, 'capture');
  const rate = (unit: Unit): RatedSite => ({
    elements: unit.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0),
    sensitivity: sensitivities.get(unit) ?? unit.length,
    curve: curves.get(unit)!,
  });
  const chosen = new Map<string, SitePlan>();
  for (const members of Map.groupBy(single, ([plan]) => plan!.solver).values()) {
    const sites = members.map(rate);
    const total = sites.reduce((sum, site) => sum + site.elements, 0);
    const asked = members.reduce((sum, [plan], index) => sum + Number(plan!.options.bits) * sites[index]!.elements, 0);
    for (const [index, bits] of allocateBits(sites, asked / total).entries()) {
      const plan = members[index]![0]!;
      chosen.set(plan.site.name, { ...plan, options: { ...plan.options, bits } });
    }
  }
  for (const { units, ratio } of budgets) {
    const sites = units.map(unit => ({ ...rate(unit), formatBits: DENSE_BITS * (1 - leastRatioOf(unit)) }));
    const asked = DENSE_BITS * (1 - ratio);
    const least = Math.min(asked, Math.max(...sites.map(({ curve }) => curve[0]!.bits)));
    for (const [index, bits] of allocateBits(sites, asked, { least, most: DENSE_BITS }).entries()) {
      for (const plan of withRatio(units[index]!, 1 - bits / DENSE_BITS)) chosen.set(plan.site.name, plan);
    }
  }
  return plans.map(plan => chosen.get(plan.site.name) ?? plan);
}

/** Plans that get one ratio: those that are one weight to their solver, mostly one. */
type Unit = readonly SitePlan[];

function unitsOf(plans: readonly SitePlan[]): Unit[] {
  return groupPlans(plans).flatMap(group => (isStacked(group[0]!) ? [group] : group.map(plan => [plan])));
}

function withRatio(unit: Unit, ratio: number): Unit {
  if (ratio < SMALLEST_RATIO) return unit.map(plan => ({ ...plan, solver: 'dense', options: {} }));
  const least = leastRatioOf(unit);
  return unit.map(plan => ({ ...plan, options: { ...plan.options, ratio: Math.max(ratio, least) } }));
}

function leastRatioOf(unit: Unit): number {
  const [plan] = unit as [SitePlan];
  return solverOf(plan).leastRatio?.(shapeIn(unit, plan), plan.options) ?? 0;
}
