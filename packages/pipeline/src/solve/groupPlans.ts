import { type SitePlan, solverOf } from './sitePlan.ts';

/**
 * Plans as they are solved. Those of a group solver go with their like in the blocks that follow, `blocksPerGroup` at a time;
 * those of a solver that shares inputs go with all that read the same one; those of a solver that takes several for one weight with those of
 * their block that read the same input and have the same options, or, where none does, with others of the block that are as alone and have as
 * many outputs; all others go alone. Alike are sites of one name but for the block, one shape, one solver and the same options.
 */
export function groupPlans(plans: readonly SitePlan[]): readonly (readonly SitePlan[])[] {
  const groups = [...Map.groupBy(plans, groupOf).values()].flatMap(members => {
    if (solverOf(members[0]!).needs !== 'group') return [members];
    const size = Number(members[0]!.options.blocksPerGroup ?? 1);
    const ordered = members.toSorted((left, right) => (left.site.block ?? 0) - (right.site.block ?? 0));
    return Array.from({ length: Math.ceil(ordered.length / size) }, (_, index) =>
      ordered.slice(index * size, (index + 1) * size),
    );
  });
  return [...Map.groupBy(groups, outputsOf).values()].map(joined => joined.flat());
}

/** Whether plans that are solved together are one weight, with one ratio and one size. */
export function isStacked(plan: Pick<SitePlan, 'solver'>): boolean {
  return solverOf(plan).needs === 'stack';
}

function groupOf(plan: SitePlan): string {
  const { needs } = solverOf(plan);
  if (needs === 'group') return likeness(plan);
  if (needs === 'sharedInput') return `${plan.solver} ${plan.site.inputName}`;
  const { block, inputName, name } = plan.site;
  return needs === 'stack' ? JSON.stringify([plan.solver, block, inputName, plan.options]) : name;
}

/** The same for groups of one that may stand side by side; no two others have the same. */
function outputsOf(group: readonly SitePlan[]): unknown {
  const [plan] = group as readonly [SitePlan];
  const solver = solverOf(plan);
  const { block, outFeatures } = plan.site;
  if (solver.needs !== 'stack' || group.length > 1 || block === null) return group;
  return solver.joinsOutputs(plan.site, plan.options)
    ? JSON.stringify([plan.solver, block, outFeatures, plan.options])
    : group;
}

function likeness({ site, solver, options }: SitePlan): string {
  const block = String(site.block);
  const name = site.name.split('.').map(part => (part === block ? '*' : part));
  return JSON.stringify([name, site.outFeatures, site.inFeatures, solver, options]);
}
