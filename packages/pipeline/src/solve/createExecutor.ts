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

/** Worker threads, one per core unless told otherwise; each runs its numeric engine on one thread. */
export function createExecutor(threads: number = availableParallelism()): Executor {
  const pool = new Piscina({
    filename: new URL('./solveWorker.ts', import.meta.url).href,
    minThreads: 0,
    maxThreads: threads,
    idleTimeout: 30_000,
  });
  return {
    threads,
    async solve(task, signal) {
      const transferList = [task.weight.data.buffer as ArrayBuffer];
      let answer: SolveAnswer;
      try {
        answer = (await pool.run(task, { transferList, ...(signal ? { signal } : {}) })) as SolveAnswer;
      } catch (error) {
        if (signal?.aborted)
          throw new CompressionError('INTERRUPTED', 'Interrupted while solving.', {}, { cause: error });
        throw error;
      }
      if ('error' in answer) throw fromErrorRecord(answer.error);
      return answer.result;
    },
    async close() {
      await pool.destroy();
    },
  };
}
