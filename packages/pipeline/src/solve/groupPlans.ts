import { type SitePlan, solverOf } from './sitePlan.ts';

/**
 * Plans as they are solved. Those of a group solver go with their like in the blocks that follow, `blocksPerGroup` at a time;
 * those of a solver that shares inputs go with all that read the same one; all others go alone. Alike are sites of one name
 * but for the block, one shape, one solver and the same options.
 */
export function groupPlans(plans: readonly SitePlan[]): readonly (readonly SitePlan[])[] {
  const groups = Map.groupBy(plans, groupOf);
  return [...groups.values()].flatMap(members => {
    if (solverOf(members[0]!).needs !== 'group') return [members];
    const size = Number(members[0]!.options.blocksPerGroup ?? 1);
    const ordered = members.toSorted((left, right) => (left.site.block ?? 0) - (right.site.block ?? 0));
    return Array.from({ length: Math.ceil(ordered.length / size) }, (_, index) =>
      ordered.slice(index * size, (index + 1) * size),
    );
  });
}

function groupOf(plan: SitePlan): string {
  const { needs } = solverOf(plan);
  if (needs === 'group') return likeness(plan);
  return needs === 'sharedInput' ? `${plan.solver} ${plan.site.inputName}` : plan.site.name;
}

function likeness({ site, solver, options }: SitePlan): string {
  const block = String(site.block);
  const name = site.name.split('.').map(part => (part === block ? '*' : part));
  return JSON.stringify([name, site.outFeatures, site.inFeatures, solver, options]);
}
