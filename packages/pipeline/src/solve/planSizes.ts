import { planeBytes } from '@quern/coder';
import { containerLayout } from '@quern/core';
import { isEntropyCoded, isSparse } from '@quern/solvers';
import type { Recipe } from '../recipe.ts';
import { groupPlans, isStacked } from './groupPlans.ts';
import { allocationOf, groupSizeOf, nominalBitsOf, plannedStorageBits, type SitePlan, solverOf } from './sitePlan.ts';

/**
 * What a planned size says of the file. `exact`: the file's own. `atMost`: codes in bit planes of their width and zeros in masks, which packing
 * takes or beats. `target`: what the run hits for all such sites together, shared out by it. `atLeast`: what packing would reach; this
 * storage is wider. `estimate`: an even share of what is spread unevenly.
 */
export type PlannedFigure = 'exact' | 'atMost' | 'target' | 'atLeast' | 'estimate';

/** A site with what it will take. */
export interface PlannedSite {
  readonly name: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly solver: string;
  readonly nominalBits: number;
  readonly groupSize: number | null;
  readonly storageBits: number;
  readonly figure: PlannedFigure;
}

/**
 * What each planned site will take in the file, before any weight is read, and how sure that is. In packed files an `atMost` leaves
 * out the site's entry in the index, some dozens of bytes.
 */
export function planSizes(
  plans: readonly SitePlan[],
  recipe: Pick<Recipe, 'storage' | 'allocation'>,
): readonly PlannedSite[] {
  const groups = new Map(groupPlans(plans).flatMap(group => group.map(plan => [plan.site.name, group])));
  return plans.map(plan => {
    const group = groups.get(plan.site.name)!;
    const figure = figureOf(plan, group, recipe);
    const bits = plannedStorageBits(plan, group);
    return {
      name: plan.site.name,
      outFeatures: plan.site.outFeatures,
      inFeatures: plan.site.inFeatures,
      solver: plan.solver,
      nominalBits: nominalBitsOf(plan),
      groupSize: groupSizeOf(plan),
      storageBits: figure === 'atMost' ? bits - savedByPlanes(plan) : bits,
      figure,
    };
  });
}

function figureOf(
  plan: SitePlan,
  group: readonly SitePlan[],
  recipe: Pick<Recipe, 'storage' | 'allocation'>,
): PlannedFigure {
  const { storage = 'container' } = recipe;
  if (isEntropyCoded(solverOf(plan))) return storage === 'packed' ? 'target' : 'atLeast';
  if (isSparse(solverOf(plan)) && storage === 'container') return 'atLeast';
  if (allocationOf(plan, recipe) !== 'uniform') return 'estimate';
  if (isStacked(plan) && group.length > 1) return 'target';
  return storage === 'container' ? 'exact' : 'atMost';
}

/** Bits by which planes are smaller than the container of one grid over the whole weight; factors are not counted. */
function savedByPlanes(plan: SitePlan): number {
  const groupSize = groupSizeOf(plan);
  if (groupSize === null || solverOf(plan).allocation !== null) return 0;
  const { outFeatures: rows, inFeatures } = plan.site;
  const bits = nominalBitsOf(plan);
  const { containerBits, kernelBlock, blockCount } = containerLayout({ bits, groupSize, inFeatures });
  const columns = kernelBlock * blockCount;
  const layout = { rows, columns, blockSize: kernelBlock, bits: containerBits, padCode: 0 };
  return Math.max(0, rows * columns * containerBits - 8 * planeBytes(layout, bits));
}
