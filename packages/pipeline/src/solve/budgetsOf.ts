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
  return [...alike.values()].map(members => ({ plans: members, ratio: meanRatio(members) }));
}

/** Over the weights of all plans; a ratio that is the same everywhere comes out as it was given. */
function meanRatio(plans: readonly SitePlan[]): number {
  const ratios = plans.map(({ options }) => Number(options.ratio));
  if (ratios.every(ratio => ratio === ratios[0])) return ratios[0]!;
  const elements = plans.map(({ site }) => site.outFeatures * site.inFeatures);
  const removed = ratios.reduce((sum, ratio, index) => sum + ratio * elements[index]!, 0);
  return removed / elements.reduce((sum, count) => sum + count, 0);
}
