import { availableParallelism } from 'node:os';
import { CompressionError, fromErrorRecord, type SolveResult } from '@quern/core';
import { Piscina } from 'piscina';
import type { SolveTask } from './solveSite.ts';
import type { SolveAnswer } from './solveWorker.ts';

/** Runs solve tasks somewhere else than here. */
export interface Executor {
  /** Tasks that can run at the same time. */
  readonly threads: number;
  /** The weight's buffer is handed over and cannot be used afterwards. */
  solve(task: SolveTask, signal?: AbortSignal): Promise<SolveResult>;
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** The file that a thread runs; its default export takes a task. */
  readonly file?: URL;
  /** Limit of a thread's heap, which holds no weights; Node's own unless given. */
  readonly heapMegabytes?: number;
}

const SOLVE_WORKER = new URL('./solveWorker.ts', import.meta.url);

/**
 * Worker threads, one per core unless told otherwise; each runs its numeric engine on one thread.
 *
 * Errors of `solve`: the solver's own, as they were thrown; SOLVER_FAILED when a worker dies, also for tasks that no worker
 * had begun; INTERRUPTED when the signal is set, without waiting for the solver.
 */
export function createExecutor(threads: number = availableParallelism(), worker: WorkerOptions = {}): Executor {
  const { file = SOLVE_WORKER, heapMegabytes } = worker;
  const pool = new Piscina({
    filename: file.href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 30_000,
    ...(heapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
  });
  // A worker that dies before it takes a task rejects none: all that wait are told here.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  pool.on('error', error => broken.reject(error));
  let closed = false;
  return {
    threads,
    async solve(task, signal) {
      if (closed) throw new CompressionError('INTERNAL', 'The executor was closed.');
      const transferList = [task.weight.data.buffer as ArrayBuffer];
      let answer: SolveAnswer;
      try {
        const run = pool.run(task, { transferList, ...(signal ? { signal } : {}) }) as Promise<SolveAnswer>;
        answer = await Promise.race([run, broken.promise]);
      } catch (cause) {
        if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted while solving.', {}, { cause });
        throw workerDied(cause, threads);
      }
      if ('error' in answer) throw fromErrorRecord(answer.error);
      return answer.result;
    },
    async close() {
      closed = true;
      await pool.destroy();
    },
  };
}

function workerDied(cause: unknown, threads: number): CompressionError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const advice =
    code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? `ran out of memory: ${threads > 1 ? `use fewer --threads than ${threads}, or` : ''} raise NODE_OPTIONS=--max-old-space-size`
      : `stopped (${String(message ?? cause)}): run again with --resume, and with --verbose for the cause`;
  return new CompressionError('SOLVER_FAILED', `A worker thread ${advice}.`, { threads }, { cause });
}
