import { groupPlans } from './groupPlans.ts';
import { groupSizeOf, nominalBitsOf, plannedStorageBits, type SitePlan } from './sitePlan.ts';

/** A site with what it will take. */
export interface PlannedSite {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly solver: string;
  readonly nominalBits: number;
  readonly groupSize: number | null;
  readonly storageBits: number;
}

/**
 * What each planned site will take in the file, before any weight is read: exact, but where a ratio is spread over the sites,
 * which is then shown as if it were the same everywhere.
 */
export function planSizes(plans: readonly SitePlan[]): PlannedSite[] {
  const siteCounts = new Map(groupPlans(plans).flatMap(group => group.map(plan => [plan.site.name, group.length])));
  return plans.map(plan => ({
    name: plan.site.name,
    outFeatures: plan.site.outFeatures,
    inFeatures: plan.site.inFeatures,
    solver: plan.solver,
    nominalBits: nominalBitsOf(plan),
    groupSize: groupSizeOf(plan),
    storageBits: plannedStorageBits(plan, siteCounts.get(plan.site.name)!),
  }));
}
