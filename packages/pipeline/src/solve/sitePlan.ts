import type { LinearSite } from '@quern/core';
import { type Allocation, isEntropyCoded, type Solver, solvers } from '@quern/solvers';
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

/** How the ratio of a plan comes to be; 'uniform' as well where there is no ratio. */
export function allocationOf({ solver, options }: SitePlan, { allocation }: Pick<Recipe, 'allocation'>): Allocation {
  const { allocation: ownAllocation } = solverOf({ solver });
  if (ownAllocation === null || options.ratio === undefined) return 'uniform';
  return allocation === undefined || allocation === 'sensitivity' ? ownAllocation : allocation;
}

/** Whether the bits of a plan are a mean over its sites, spread by how much the model's loss minds each. */
export function spreadsBits({ solver }: Pick<SitePlan, 'solver'>, { allocation }: Pick<Recipe, 'allocation'>): boolean {
  return isEntropyCoded(solverOf({ solver })) && allocation !== 'uniform';
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

/** Bits that a plan's weight takes in the file, before it exists; a share of them for one of `siteCount` in a group. */
export function plannedStorageBits({ site, solver, options }: SitePlan, siteCount: number): number {
  const { outFeatures, inFeatures } = site;
  return solverOf({ solver }).storageBits({ outFeatures, inFeatures, siteCount }, options);
}
