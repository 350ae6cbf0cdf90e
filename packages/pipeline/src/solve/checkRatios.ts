import { allocate } from '@quern/solvers';
import type { Recipe } from '../recipe.ts';
import { budgetsOf } from './budgetsOf.ts';
import { groupPlans } from './groupPlans.ts';
import { nameSite } from './nameSite.ts';
import { checkRatio, plannedStorageBits, rankAllocationOf, type SitePlan, spreadsBits } from './sitePlan.ts';

/**
 * Checks that every ratio and rank can be had, before the work that finds out. A ratio that is spread needs only be possible
 * for all its sites together.
 *
 * Errors: INVALID_OPTION for a ratio that one component a site does not meet, and for a rank above the full one.
 */
export function checkRatios(plans: readonly SitePlan[], recipe: Pick<Recipe, 'allocation'>): void {
  const isSpread = (plan: SitePlan): boolean => rankAllocationOf(plan, recipe) !== 'uniform';
  for (const group of groupPlans(plans.filter(plan => !isSpread(plan)))) {
    for (const plan of group) {
      try {
        plannedStorageBits(plan, group);
        if (!spreadsBits(plan, recipe)) checkRatio(plan, group);
      } catch (error) {
        throw nameSite(error, plan.site);
      }
    }
  }
  for (const { plans: members, ratio } of budgetsOf(plans.filter(isSpread))) {
    const singularValues = new Float64Array(); // a uniform ratio reads none
    const sites = members.map(({ site: { name, outFeatures, inFeatures } }) => ({
      ...{ name, type: '', outFeatures, inFeatures },
      ...{ singularValues, energy: 0 },
    }));
    allocate('uniform', sites, { ...members[0]!.options, ratio });
  }
}
