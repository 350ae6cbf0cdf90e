import type { LinearSite } from '@quern/core';
import {
  type Allocation,
  isEntropyCoded,
  type RankAllocation,
  type SiteShape,
  type Solver,
  solvers,
} from '@quern/solvers';
import type { Recipe } from '../recipe.ts';

/** One site with what is to be done to it. */
export interface SitePlan {
  readonly site: LinearSite;
  readonly solver: string;
  /** Of the solver, checked, with its defaults. */
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

/** What the registry knows of a plan's solver. */
export function solverOf(plan: Pick<SitePlan, 'solver'>): Solver {
  return solvers[plan.solver]!;
}

/** How a method can spread what is given for the whole model; none where it takes nothing of the kind. */
export function allocationsOf({ solver, options }: Pick<SitePlan, 'solver' | 'options'>): readonly Allocation[] {
  const entry = solverOf({ solver });
  const { allocation, rateCurve, optionsSchema } = entry;
  if (isEntropyCoded(entry)) return ['uniform', 'sensitivity'];
  if (allocation === null || options.ratio === undefined) return [];
  if (rateCurve !== undefined) return ['uniform', 'pooled', 'sensitivity'];
  return optionsSchema.shape.rank === undefined ? ['uniform'] : ['uniform', 'pooled', 'truncationLoss'];
}

/** How the ratio of a plan, or its bits, come to be; 'uniform' as well where there is neither. */
export function allocationOf(plan: SitePlan, { allocation }: Pick<Recipe, 'allocation'>): Allocation {
  const known = allocationsOf(plan);
  const entry = solverOf(plan);
  const usual = isEntropyCoded(entry) ? 'sensitivity' : entry.allocation;
  if (known.length === 0 || usual === null) return 'uniform';
  return allocation !== undefined && known.includes(allocation) ? allocation : usual;
}

/** Whether the bits or the ratio of a plan are a mean over its sites, spread by what each loses at which rate. */
export function spreadsBits(plan: SitePlan, recipe: Pick<Recipe, 'allocation'>): boolean {
  return solverOf(plan).rateCurve !== undefined && allocationOf(plan, recipe) !== 'uniform';
}

/** How the ranks of a plan come to be: 'uniform' where nothing is spread over ranks. */
export function rankAllocationOf(plan: SitePlan, recipe: Pick<Recipe, 'allocation'>): RankAllocation {
  const allocation = allocationOf(plan, recipe);
  return allocation === 'sensitivity' || spreadsBits(plan, recipe) ? 'uniform' : allocation;
}

/** Whether the solver itself reads activations. */
export function readsActivations(plan: Pick<SitePlan, 'solver'>): boolean {
  return solverOf(plan).needs !== 'weight';
}

/** Whether a run of these plans needs the activations of a calibration. */
export function isCalibrated(plans: readonly SitePlan[], recipe: Pick<Recipe, 'allocation'>): boolean {
  return plans.some(plan => readsActivations(plan) || allocationOf(plan, recipe) !== 'uniform');
}

/** Bits of a plan's grid or factors; 16 for floats. */
export function nominalBitsOf({ options }: Pick<SitePlan, 'options'>): number {
  return typeof options.bits === 'number' ? options.bits : 16;
}

/** Inputs that share a scale, null where nothing is on a grid. */
export function groupSizeOf(plan: Pick<SitePlan, 'site' | 'options'>): number | null {
  const { groupSize } = plan.options;
  if (groupSize === undefined || nominalBitsOf(plan) === 16) return null;
  const { inFeatures } = plan.site;
  return typeof groupSize === 'number' ? Math.min(groupSize, inFeatures) : inFeatures;
}

/** Errors: INVALID_OPTION for a ratio that the plan's weight, among those that are solved with it, cannot meet. */
export function checkRatio(plan: SitePlan, group: readonly SitePlan[] = [plan]): void {
  solverOf(plan).checkRatio?.(shapeIn(group, plan), plan.options);
}

/** Bits that a plan's weight takes in the file, before it exists; its share of them among those that are solved with it. */
export function plannedStorageBits(plan: SitePlan, group: readonly SitePlan[] = [plan]): number {
  return solverOf(plan).storageBits(shapeIn(group, plan), plan.options);
}

/** The shape of a plan's weight among those that are solved with it. */
export function shapeIn(group: readonly SitePlan[], plan: SitePlan): SiteShape {
  const { outFeatures, inFeatures } = plan.site;
  const { needs } = solverOf(plan);
  const sites = group.map(({ site }) => site);
  if (needs === 'group') return { outFeatures, inFeatures, siteCount: sites.length };
  if (needs !== 'stack') return { outFeatures, inFeatures };
  const readsOne = sites.every(({ inputName }) => inputName === plan.site.inputName);
  if (readsOne) return { outFeatures, inFeatures, stackedOutputs: sites.map(site => site.outFeatures) };
  return { outFeatures, inFeatures, stackedInputs: sites.map(site => site.inFeatures) };
}

/** A plan's options without what is asked for: its bits, or a ratio of what they then say of the format. */
export function curveOptions({ bits, ratio, ...options }: SitePlan['options']): SitePlan['options'] {
  return ratio === undefined || bits === undefined ? options : { ...options, bits };
}
