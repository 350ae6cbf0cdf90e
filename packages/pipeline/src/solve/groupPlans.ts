import { type SitePlan, solverOf } from './sitePlan.ts';

/**
 * Plans as they are solved. Those of a group solver go with their like in the blocks that follow, `blocksPerGroup` at a time;
 * those of a solver that shares inputs go with all that read the same one, where it stacks them only with those that have the same options too;
 * all others go alone. Alike are sites of one name but for the block, one shape, one solver and the same options.
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

/** Whether plans that are solved together are one weight, with one ratio and one size. */
export function isStacked(plan: Pick<SitePlan, 'solver'>): boolean {
  const solver = solverOf(plan);
  return solver.needs === 'sharedInput' && solver.stack !== undefined;
}

function groupOf(plan: SitePlan): string {
  const { needs } = solverOf(plan);
  if (needs === 'group') return likeness(plan);
  if (needs !== 'sharedInput') return plan.site.name;
  const shared = [plan.solver, plan.site.inputName];
  return JSON.stringify(isStacked(plan) ? [...shared, plan.options] : shared);
}

function likeness({ site, solver, options }: SitePlan): string {
  const block = String(site.block);
  const name = site.name.split('.').map(part => (part === block ? '*' : part));
  return JSON.stringify([name, site.outFeatures, site.inFeatures, solver, options]);
}
