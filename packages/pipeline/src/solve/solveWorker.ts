import { workerData } from 'node:worker_threads';
import { type ErrorRecord, type SolveResult, toErrorRecord } from '@quern/core';
import { type Accelerator, chooseEngine } from '@quern/linalg';
import { type MeasuredLoss, type RatePoint, type WhitenedSpectrum, whitenedSpectrum } from '@quern/solvers';
import type { CandidatesTask, MeasuredWay } from '../budget/measureWays.ts';
import type { LossTask } from '../measure/measureLoss.ts';
import { releaseMemory } from './releaseMemory.ts';
import { type KnownWeight, rateCurveOf, type SolveTask, solveSite } from './solveSite.ts';

/** What a worker sends back: errors travel as records, since structured clone drops their class and fields. */
export type WorkerAnswer<Result> =
  | { readonly result: Result /** Of the work alone. */; readonly durationMs: number }
  | { readonly error: ErrorRecord };

/** What every thread of an executor shares. */
export interface WorkerData {
  /** Holds 1 once nobody waits for results. */
  readonly closed: Int32Array;
  readonly accelerator: Accelerator | undefined;
}

const { closed, accelerator } = workerData as WorkerData;
let engine: Promise<unknown> | undefined;

/** What a thread does with a task to solve. */
export default function solveInWorker(task: SolveTask): Promise<WorkerAnswer<SolveResult[]>> {
  return answer(task.members, () => solveSite(task));
}

/** What a thread does with a weight whose spectrum is asked for. */
export function spectrumInWorker(member: KnownWeight): Promise<WorkerAnswer<WhitenedSpectrum>> {
  return answer([member], () => whitenedSpectrum(member.weight, member.statistics));
}

/** What a thread does with weights whose loss at falling rates is asked for. */
export function rateCurveInWorker(task: SolveTask): Promise<WorkerAnswer<RatePoint[]>> {
  return answer(task.members, () => rateCurveOf(task));
}

/** What a thread does with a site that is to be tried in several ways. What only some tasks need is loaded by them: half of what a thread starts with. */
export function waysInWorker(task: CandidatesTask): Promise<WorkerAnswer<(MeasuredWay | null)[]>> {
  return answer([task], async () => (await import('../budget/measureWays.ts')).measureWays(task));
}

/** What a thread does with sites whose results the model is to be measured with. */
export function lossInWorker(task: LossTask): Promise<WorkerAnswer<MeasuredLoss>> {
  return answer(task.members, async () => (await import('../measure/measureLoss.ts')).measureLoss(task));
}

/** Once the executor was closed a task ends at the next kernel. */
async function answer<Result>(
  members: readonly KnownWeight[],
  work: () => Promise<Result>,
): Promise<WorkerAnswer<Result>> {
  const bytes = members.reduce(
    (sum, { weight, statistics }) => sum + 4 * weight.data.length + 8 * (statistics?.inputGram.data.length ?? 0),
    0,
  );
  try {
    engine ??= chooseEngine({ stop: closed, accelerator });
    await engine;
    const started = performance.now();
    const result = await work();
    return { result, durationMs: performance.now() - started };
  } catch (error) {
    if (Atomics.load(closed, 0) === 1) {
      return { error: { code: 'INTERRUPTED', message: 'The executor was closed.', context: {} } };
    }
    return { error: isOutOfMemory(error) ? outOfMemory(members[0]!) : toErrorRecord(error) };
  } finally {
    // Once the answer is on its way and the task is no longer held.
    setImmediate(releaseMemory, bytes);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('allocation failed');
}

function outOfMemory({ weight: { rows, columns } }: KnownWeight): ErrorRecord {
  const message = `no memory is left for a weight of [${rows}, ${columns}]: use fewer --threads.`;
  return { code: 'SOLVER_FAILED', message, context: { rows, columns } };
}
