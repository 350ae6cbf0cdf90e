import { availableParallelism } from 'node:os';
import { CompressionError, fromErrorRecord, type SolveResult } from '@quern/core';
import type { Accelerator } from '@quern/linalg';
import type { Device } from '@quern/runtime';
import type { MeasuredLoss, RatePoint, WhitenedSpectrum } from '@quern/solvers';
import { Piscina } from 'piscina';
import type { CandidatesTask, MeasuredWay } from '../budget/measureWays.ts';
import type { LossTask } from '../measure/measureLoss.ts';
import type { KnownWeight, SolveTask } from './solveSite.ts';
import type { WorkerAnswer, WorkerData } from './solveWorker.ts';

/** What came of a task. */
export interface SolvedTask {
  /** One a member. */
  readonly results: readonly SolveResult[];
  /** Of the solver alone: threads that start and weights that travel do not count. */
  readonly durationMs: number;
}

/** Runs solve tasks somewhere else than here. */
export interface Executor {
  /** Tasks that can run at the same time. */
  readonly threads: number;
  /** What its threads share; none without a device. */
  readonly accelerator?: Accelerator | undefined;
  /** The weights' buffers are handed over and cannot be used afterwards. */
  solve(task: SolveTask, signal?: AbortSignal): Promise<SolvedTask>;
  /** Singular values of the whitened weight, whose buffer is handed over. */
  spectrum(member: KnownWeight, signal?: AbortSignal): Promise<WhitenedSpectrum>;
  /** What a weight, or those that are solved as one, lose at falling rates; the buffers are handed over. */
  rateCurve(task: SolveTask, signal?: AbortSignal): Promise<RatePoint[]>;
  /** What a site stores and spoils in each of several ways; the weight's buffer is handed over. */
  ways(task: CandidatesTask, signal?: AbortSignal): Promise<readonly (MeasuredWay | null)[]>;
  /** What the model loses by results of a site, or of several together; the weights' buffers are handed over. */
  loss(task: LossTask, signal?: AbortSignal): Promise<MeasuredLoss>;
  close(): Promise<void>;
}

export interface WorkerOptions {
  /** The file that a thread runs; its default export takes a task. */
  readonly file?: URL;
  /** Limit of a thread's heap, which holds no weights; Node's own unless given. */
  readonly heapMegabytes?: number;
  /** Takes the large products of all threads, in turn, unless it is the CPU. */
  readonly device?: Device;
}

const SOLVE_WORKER = new URL('./solveWorker.ts', import.meta.url);

/**
 * Worker threads, one per core unless told otherwise; each runs its numeric engine on one thread.
 *
 * Errors of `solve`: the solver's own, as they were thrown; SOLVER_FAILED when a worker dies, also for tasks that no worker
 * had begun; INTERRUPTED when the signal is set, without waiting for the solver. `close` does wait for it: a thread that is
 * ended inside ONNX Runtime takes the process with it.
 */
export function createExecutor(threads: number = availableParallelism(), worker: WorkerOptions = {}): Executor {
  const { file = SOLVE_WORKER, heapMegabytes, device = 'cpu' } = worker;
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const lock = new Int32Array(new SharedArrayBuffer(4));
  const accelerator = device === 'cpu' ? undefined : { device, lock };
  const pool = new Piscina({
    filename: file.href,
    workerData: { closed, accelerator } satisfies WorkerData,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 30_000,
    // A thread that waits for its next task in a lock never lets go of the last one, and of its Gram.
    atomics: 'disabled',
    ...(heapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
  });
  // A worker that dies before it takes a task rejects none: all that wait are told here. Each task has a promise of its own: one
  // that outlives it, raced with every task, would hold every result.
  const waiting = new Set<PromiseWithResolvers<never>>();
  let death: CompressionError | null = null;
  pool.on('error', error => {
    death = workerDied(error, threads);
    for (const { reject } of waiting) reject(death);
  });
  const running = new Set<Promise<unknown>>();
  /** Runs an exported function of the worker's file on a task with these weights. */
  async function run<Result>(
    name: string,
    task: unknown,
    members: readonly KnownWeight[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly result: Result; readonly durationMs: number }> {
    if (Atomics.load(closed, 0) === 1) throw new CompressionError('INTERNAL', 'The executor was closed.');
    if (death) throw death;
    const died = Promise.withResolvers<never>();
    waiting.add(died);
    const transferList = members.map(({ weight }) => weight.data.buffer as ArrayBuffer);
    try {
      const outcome = (pool.run(task, { name, transferList }) as Promise<WorkerAnswer<Result>>)
        .catch(error => Promise.reject(workerDied(error, threads)))
        .finally(() => running.delete(outcome));
      running.add(outcome);
      const answer = await orInterrupted(Promise.race([outcome, died.promise]), signal);
      if ('error' in answer) throw fromErrorRecord(answer.error);
      return answer;
    } finally {
      waiting.delete(died);
    }
  }
  return {
    threads,
    accelerator,
    async solve(task, signal) {
      const { result, durationMs } = await run<readonly SolveResult[]>('default', task, task.members, signal);
      return { results: result, durationMs };
    },
    async spectrum(member, signal) {
      return (await run<WhitenedSpectrum>('spectrumInWorker', member, [member], signal)).result;
    },
    async rateCurve(task, signal) {
      return (await run<RatePoint[]>('rateCurveInWorker', task, task.members, signal)).result;
    },
    async ways(task, signal) {
      return (await run<readonly (MeasuredWay | null)[]>('waysInWorker', task, [task], signal)).result;
    },
    async loss(task, signal) {
      return (await run<MeasuredLoss>('lossInWorker', task, task.members, signal)).result;
    },
    async close() {
      Atomics.store(closed, 0, 1);
      if (!death) {
        const died = Promise.withResolvers<never>();
        waiting.add(died);
        await Promise.race([Promise.allSettled(running), died.promise]).catch(() => undefined);
      }
      await pool.destroy();
    },
  };
}

async function orInterrupted<Result>(result: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (!signal) return result;
  const interrupted = Promise.withResolvers<never>();
  const interrupt = (): void => interrupted.reject(new CompressionError('INTERRUPTED', 'Interrupted while solving.'));
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    return await Promise.race([result, interrupted.promise]);
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function workerDied(cause: unknown, threads: number): CompressionError {
  const { code, message } = cause as { code?: unknown; message?: unknown };
  const advice =
    code === 'ERR_WORKER_OUT_OF_MEMORY'
      ? `ran out of memory: ${threads > 1 ? `use fewer --threads than ${threads}, or` : ''} raise NODE_OPTIONS=--max-old-space-size`
      : `stopped (${String(message ?? cause)}): run again with --resume, and with --verbose for the cause`;
  return new CompressionError('SOLVER_FAILED', `A worker thread ${advice}.`, { threads }, { cause });
}
