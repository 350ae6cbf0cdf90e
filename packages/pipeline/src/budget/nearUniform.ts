import type { CandidateTable, UniformPlans } from './candidateTable.ts';

/** How many times as much as the choice one way for all sites may be expected to lose, and still be measured against it. */
const NEAR = 1.25;

/**
 * One way for all sites that fits a size and is expected to lose nearly as little as the best choice: so near that the sum of what single
 * sites lose may misjudge which is better, and only files tell. Null where there is none, or it is the choice.
 */
export function nearUniform(table: CandidateTable, bits: number): UniformPlans | null {
  const [chosen, uniform] = [table.within(bits), table.uniformWithin(bits)];
  if (chosen === null || uniform === null || uniform.loss > NEAR * chosen.loss) return null;
  return uniform.plans.every((plan, index) => plan === chosen.plans[index]) ? null : uniform;
}
