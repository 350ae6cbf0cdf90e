import type { InputStatistics } from '@quern/core';
import { afterEach, describe, expect, it } from 'vitest';
import { createExecutor, type Executor } from './createExecutor.ts';
import { releaseMemory } from './releaseMemory.ts';
import { type SolveMember, type SolveTask, solveSite } from './solveSite.ts';

const FAILING = new URL('./testWorkers/failingWorker.ts', import.meta.url);
const BROKEN = new URL('./testWorkers/brokenWorker.ts', import.meta.url);

let executor: Executor;
afterEach(() => executor.close());

const [ROWS, COLUMNS] = [8, 64];
const task = (
  solver: string,
  options: SolveMember['options'] = {},
  statistics: InputStatistics | null = null,
): SolveTask => {
  const data = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i));
  return { members: [{ weight: { rows: ROWS, columns: COLUMNS, data }, statistics, options }], solver };
};

/** The Gram of white noise, in memory that threads share. */
function statistics(): InputStatistics {
  const data = new Float64Array(new SharedArrayBuffer(8 * COLUMNS * COLUMNS));
  for (let row = 0; row < COLUMNS; row++)
    for (let column = 0; column < COLUMNS; column++)
      data[row * COLUMNS + column] = row === column ? COLUMNS : Math.cos(row) * Math.cos(column);
  const inputGram = { rows: COLUMNS, columns: COLUMNS, data: data as unknown as Float64Array };
  return { inputGram, tokenCount: 100, meanAbsolute: new Float64Array(COLUMNS).fill(1) };
}

it('solves in a thread what is solved here', async () => {
  executor = createExecutor(2);
  const given = statistics();
  const jobs = [4, 3, 2].map(bits => task('gptq', { bits, groupSize: 32 }, given));
  const here = await Promise.all(jobs.map(job => solveSite({ ...job, members: structuredClone(job.members) })));
  const there = await Promise.all(jobs.map(job => executor.solve(job)));
  expect(there.map(({ results }) => results)).toEqual(here);
  expect(jobs[0]!.members[0]!.weight.data.buffer.byteLength).toBe(0); // handed over
});

it('lets go of a Gram that was solved with, while it waits for the next task', async () => {
  executor = createExecutor(1);
  const columns = 4096;
  async function solve(): Promise<void> {
    const data = new Float64Array(new SharedArrayBuffer(8 * columns * columns)).fill(1);
    const inputGram = { rows: columns, columns, data: data as unknown as Float64Array };
    const known = { inputGram, tokenCount: 100, meanAbsolute: new Float64Array(columns).fill(1) };
    const weight = { rows: 1, columns, data: Float32Array.from({ length: columns }, (_, i) => Math.sin(i)) };
    await executor.solve({ solver: 'rtn', members: [{ weight, statistics: known, options: {} }] });
  }
  const before = process.memoryUsage().arrayBuffers;
  await solve();
  const isReleased = (): boolean => {
    releaseMemory(8 * columns ** 2);
    return process.memoryUsage().arrayBuffers - before < 4 * columns ** 2;
  };
  await expect.poll(isReleased, { timeout: 20_000 }).toBe(true);
});

describe('errors', () => {
  it('come back with code and context', async () => {
    executor = createExecutor(1);
    const refused = executor.solve(task('rtn', { bits: 9 }));
    await expect(refused).rejects.toMatchObject({ name: 'CompressionError', code: 'INVALID_OPTION', message: /bits/ });
    const weight = { rows: 1, columns: 2, data: Float32Array.of(1, Number.NaN) };
    await expect(
      executor.solve({ ...task('rtn'), members: [{ weight, statistics: null, options: {} }] }),
    ).rejects.toMatchObject({
      code: 'NON_FINITE_WEIGHT',
    });
    // The thread lives on.
    expect((await executor.solve(task('rtn', { groupSize: 32 }))).results[0]!.storageBits).toBe(ROWS * COLUMNS * 4.5);
  });

  it.each([
    ['exit', /stopped.*3/],
    ['throw', /stopped.*thrown through/],
    ['throwLater', /stopped.*outside of every promise/],
  ])('name a thread that dies: %s', async (way, message) => {
    executor = createExecutor(2, { file: FAILING });
    await expect(executor.solve(task(way))).rejects.toMatchObject({ code: 'SOLVER_FAILED', message });
  });

  it('name a thread that runs out of memory', async () => {
    executor = createExecutor(2, { file: FAILING, heapMegabytes: 16 });
    await expect(executor.solve(task('fillHeap'))).rejects.toMatchObject({
      code: 'SOLVER_FAILED',
      message: /out of memory.*--threads/,
    });
  });

  it('reach every task when threads cannot start', async () => {
    executor = createExecutor(2, { file: BROKEN });
    const tasks = await Promise.allSettled([0, 1, 2].map(() => executor.solve(task('rtn'))));
    for (const outcome of tasks) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'SOLVER_FAILED', message: /module is missing/ },
      });
    }
  });
});

it('is interrupted without waiting for the solver', async () => {
  executor = createExecutor(1, { file: FAILING });
  const controller = new AbortController();
  const running = executor.solve(task('wait'), controller.signal);
  const waiting = executor.solve(task('wait'), controller.signal);
  setTimeout(() => controller.abort(), 50);
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
});

it('lets a running solver end before its thread is closed', async () => {
  executor = createExecutor(1, { file: FAILING });
  const running = executor.solve(task('wait'));
  await executor.solve(task('quick')); // by then the first has ended its wait, since there is one thread
  const last = executor.solve(task('wait'));
  await executor.close();
  expect(await Promise.all([running, last])).toMatchObject([{ results: 'wait' }, { results: 'wait' }]);
});

it('takes no task after it was closed', async () => {
  executor = createExecutor(1);
  await executor.close();
  await expect(executor.solve(task('rtn'))).rejects.toMatchObject({ code: 'INTERNAL' });
});
