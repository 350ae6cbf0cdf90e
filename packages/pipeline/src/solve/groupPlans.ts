import { type SitePlan, solverOf } from './sitePlan.ts';

/**
 * Plans as they are solved: those of a group solver with their like in the blocks that follow, `blocksPerGroup` at a time, all
 * others alone. Alike are sites of one name but for the block, one shape, one solver and the same options.
 */
export function groupPlans(plans: readonly SitePlan[]): readonly (readonly SitePlan[])[] {
  const alike = Map.groupBy(plans, plan => (solverOf(plan).needs === 'group' ? likeness(plan) : plan.site.name));
  return [...alike.values()].flatMap(members => {
    const size = Number(members[0]!.options.blocksPerGroup ?? 1);
    const ordered = members.toSorted((left, right) => (left.site.block ?? 0) - (right.site.block ?? 0));
    return Array.from({ length: Math.ceil(ordered.length / size) }, (_, index) =>
      ordered.slice(index * size, (index + 1) * size),
    );
  });
}

function likeness({ site, solver, options }: SitePlan): string {
  const block = String(site.block);
  const name = site.name.split('.').map(part => (part === block ? '*' : part));
  return JSON.stringify([name, site.outFeatures, site.inFeatures, solver, options]);
}
