import type { SitePlan } from './sitePlan.ts';

/** Plans that share what a ratio leaves. */
export interface Budget {
  readonly plans: readonly SitePlan[];
  /** Fraction to remove of all their weights together. */
  readonly ratio: number;
}

/** Plans of one solver with the same options have one budget; their ratios may differ. */
export function budgetsOf(plans: readonly SitePlan[]): Budget[] {
  const alike = Map.groupBy(plans, ({ solver, options }) => JSON.stringify([solver, { ...options, ratio: null }]));
  return [...alike.values()].map(members => {
    const elements = members.map(({ site }) => site.outFeatures * site.inFeatures);
    const removed = members.reduce((sum, plan, index) => sum + Number(plan.options.ratio) * elements[index]!, 0);
    return { plans: members, ratio: removed / elements.reduce((sum, count) => sum + count, 0) };
  });
}
