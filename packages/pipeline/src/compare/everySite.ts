import type { LinearSite } from '@quern/core';
import type { Recipe } from '../recipe.ts';
import { plansInTotals, selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';

/** Every site that a row could solve: what the bytes of the original are counted over. */
export function everySite(sites: readonly LinearSite[], recipe: Recipe): readonly SitePlan[] {
  const dense: Recipe = { ...recipe, method: 'dense', options: {}, rules: [], ...NO_SETTINGS };
  return plansInTotals(selectSites(sites, dense));
}

const NO_SETTINGS = { bits: undefined, groupSize: undefined, ratio: undefined, allocation: undefined };
