import { workerData } from 'node:worker_threads';
import { type ErrorRecord, type SolveResult, toErrorRecord } from '@quern/core';
import { chooseEngine } from '@quern/linalg';
import { releaseMemory } from './releaseMemory.ts';
import { type SolveTask, solveSite } from './solveSite.ts';

/** What a worker sends back: errors travel as records, since structured clone drops their class and fields. */
export type SolveAnswer = { readonly result: SolveResult } | { readonly error: ErrorRecord };

/** Holds 1 once nobody waits for results. */
const closed = workerData as Int32Array;
let engine: Promise<unknown> | undefined;

/** The function that every worker thread runs. Once the executor was closed it ends at the next kernel. */
export default async function solveInWorker(task: SolveTask): Promise<SolveAnswer> {
  try {
    engine ??= chooseEngine({ stop: closed });
    await engine;
    return { result: await solveSite(task) };
  } catch (error) {
    if (Atomics.load(closed, 0) === 1) {
      return { error: { code: 'INTERRUPTED', message: 'The executor was closed.', context: {} } };
    }
    return { error: isOutOfMemory(error) ? outOfMemory(task) : toErrorRecord(error) };
  } finally {
    // Once the answer is on its way and the task is no longer held.
    setImmediate(releaseMemory);
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('allocation failed');
}

function outOfMemory({ weight: { rows, columns } }: SolveTask): ErrorRecord {
  const message = `no memory is left for a weight of [${rows}, ${columns}]: use fewer --threads.`;
  return { code: 'SOLVER_FAILED', message, context: { rows, columns } };
}
