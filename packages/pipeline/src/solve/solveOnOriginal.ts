import { groupPlans } from './groupPlans.ts';
import { type JobContent, jobKey } from './jobKey.ts';
import { type FinishedJob, type Job, type JobRun, runJobs } from './runJobs.ts';
import type { SitePlan } from './sitePlan.ts';

export interface OriginalRun extends JobRun {
  /** What every job is made from. */
  readonly origin: JobContent;
}

/**
 * Solves plans on the activations of the original model, in any order and all at once, group solvers with their groups.
 * Returns the keys of the results in the store, by site.
 */
export async function solveOnOriginal(run: OriginalRun, plans: readonly SitePlan[]): Promise<Map<string, string>> {
  const { origin, results, emit } = run;
  const jobs: Job[] = groupPlans(plans).map(members => {
    const sites = members.map(plan => plan.site.name);
    const { solver } = members[0]!;
    const options = members.map(plan => plan.options);
    return members.map((plan, member) => ({ plan, key: jobKey({ origin, sites, member, solver, options }) }));
  });
  const missing: Job[] = [];
  for (const job of jobs) {
    const known = await Promise.all(job.map(({ key }) => results.load<FinishedJob>(key)));
    if (known.includes(null)) missing.push(job);
  }
  let done = plans.length - missing.reduce((sum, job) => sum + job.length, 0);
  const tell = (): void => emit({ kind: 'progress', stage: 'solve', done, total: plans.length, unit: 'sites' });
  tell();
  await runJobs(run, missing, () => {
    done++;
    tell();
  });
  return new Map(jobs.flatMap(job => job.map(({ plan, key }) => [plan.site.name, key] as const)));
}
