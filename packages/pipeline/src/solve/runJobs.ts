import { type InputStatistics, type SolveResult, toErrorRecord } from '@quern/core';
import { activationTypeOf, type OnnxModel, readWeight } from '@quern/onnx';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import type { Recipe } from '../recipe.ts';
import { scaleTypeFor } from './compressEmbeddings.ts';
import type { Executor } from './createExecutor.ts';
import { nameSite } from './nameSite.ts';
import { releaseMemory } from './releaseMemory.ts';
import type { ResultStore } from './resultStore.ts';
import { shareOut } from './shareOut.ts';
import { nominalBitsOf, type SitePlan, solverOf } from './sitePlan.ts';
import type { SolveMember, SolveTask } from './solveSite.ts';

/** A plan and the name under which its result is kept. */
export interface KeyedPlan {
  readonly plan: SitePlan;
  readonly key: string;
}

/** Plans that one solver call covers, mostly one. */
export type Job = readonly KeyedPlan[];

/** What the result store keeps of a plan. */
export interface FinishedJob {
  readonly result: SolveResult;
  /** What was done because the solver failed; absent when it did not. */
  readonly onFailure?: string;
  /** Of the solver alone, a share of it for one of several solved together. */
  readonly durationMs: number;
}

export interface JobRun {
  readonly model: OnnxModel;
  readonly recipe: Pick<Recipe, 'onFailure'>;
  readonly executor: Executor;
  readonly results: ResultStore;
  /** Statistics of a site's input; null when nothing is known of it and the solver needs nothing. */
  readonly statisticsOf: (plan: SitePlan) => Promise<InputStatistics | null>;
  readonly emit: Emit;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs jobs on the executor and keeps their results in the store. Each weight is read when a worker is free for it, so that no
 * more jobs than workers are in memory. `onFinished` is called for each plan once its result is kept.
 *
 * Errors: those of the solvers, with the site's name in front; INTERRUPTED.
 */
export async function runJobs(
  run: JobRun,
  jobs: readonly Job[],
  onFinished: (keyed: KeyedPlan, finished: FinishedJob) => void,
): Promise<void> {
  // The longest first, so that no worker is left alone with it at the end.
  const ordered = jobs.toSorted((left, right) => expectedWork(right) - expectedWork(left));
  await shareOut(ordered, run.executor.threads, async job => {
    checkInterrupted(run.signal);
    const solved = await solveOrRound(run, job);
    for (const [index, keyed] of job.entries()) {
      const finished = solved[index]!;
      await run.results.save(keyed.key, finished);
      onFinished(keyed, finished);
    }
    // Statistics that came from the store were this thread's own.
    releaseMemory(job.reduce((sum, { plan }) => sum + 8 * plan.site.inFeatures ** 2, 0));
  });
}

/** What a weight is rounded to when its solver fails and the recipe asks for that; the report then says so. */
const FALLBACK = 'roundToNearest';

async function solveOrRound(run: JobRun, job: Job): Promise<readonly FinishedJob[]> {
  const { executor, recipe, emit, signal } = run;
  const plans = job.map(({ plan }) => plan);
  try {
    const task = await taskOf(run, plans);
    const { results, durationMs } = await executor.solve(task, signal);
    return results.map(result => ({ result, durationMs: Math.round(durationMs / job.length) }));
  } catch (error) {
    const { code, message } = toErrorRecord(error);
    const isSolvers = code === 'NOT_POSITIVE_DEFINITE' || code === 'SOLVER_FAILED';
    const first = plans[0]!;
    if (!isSolvers || recipe.onFailure !== FALLBACK || first.solver === 'rtn') throw nameSite(error, first.site);
    const rounded: FinishedJob[] = [];
    for (const plan of plans) {
      emit({ kind: 'warning', message: `${plan.site.name} is rounded to nearest: ${message}` });
      const { groupSize = 32, symmetric = true } = plan.options;
      const bits = Math.max(2, Math.min(8, Math.round(nominalBitsOf(plan))));
      const task = await taskOf(run, [{ ...plan, solver: 'rtn', options: { bits, groupSize, symmetric } }]);
      const { results, durationMs } = await executor.solve(task, signal);
      rounded.push({ result: results[0]!, onFailure: FALLBACK, durationMs: Math.round(durationMs) });
    }
    return rounded;
  }
}

/** The task of plans with one solver. */
async function taskOf(run: JobRun, plans: readonly SitePlan[]): Promise<SolveTask> {
  const { solver } = plans[0]!;
  const knowsScales = Object.hasOwn(solverOf({ solver }).optionsSchema.shape, 'scaleType');
  const members: SolveMember[] = [];
  for (const plan of plans) {
    const scaleType = knowsScales ? scaleTypeFor(activationTypeOf(run.model, plan.site)) : 'auto';
    const options = scaleType === 'auto' ? plan.options : { ...plan.options, scaleType };
    const { inputName } = plan.site;
    const weight = await readWeight(run.model, plan.site);
    members.push({ weight, statistics: await run.statisticsOf(plan), inputName, options });
  }
  return { members, solver };
}

/** Grows like the multiply-adds of a solver that factorises the Gram and carries errors through the weight. */
function expectedWork(job: Job): number {
  return job.reduce(
    (sum, { plan }) => sum + plan.site.inFeatures ** 2 * (plan.site.inFeatures + plan.site.outFeatures),
    0,
  );
}
