/**
 * How much faster do two worker threads solve than one? Eight equal GPTQ jobs, 1024 x 1024, 4 bits, groups of 32; threads are
 * started and warm. Best of three rounds each, one and two threads in turn. The limit is 1.7 times.
 * Only a quiet machine with two free cores tells. Usage: node benchmarks/workerScaling.ts [size] [jobs]
 */
import { loadavg } from 'node:os';
import { addGram, describeEngine, type Matrix } from '../packages/linalg/src/index.ts';
import { createExecutor, type Executor } from '../packages/pipeline/src/solve/createExecutor.ts';
import { describeMachine } from './machine.ts';

const [size = 1024, jobCount = 8] = process.argv.slice(2).map(Number);
const [LIMIT, ROUNDS] = [1.7, 3];

const load = loadavg()[0]!;
const activations = matrix(2 * size, 1);
const inputGram: Matrix<Float64Array> = {
  rows: size,
  columns: size,
  data: new Float64Array(new SharedArrayBuffer(8 * size * size)) as unknown as Float64Array,
};
const sums = matrix(size, 0);
await addGram(sums, activations);
inputGram.data.set(sums.data);
const statistics = { inputGram, tokenCount: 2 * size, meanAbsolute: new Float64Array(size).fill(1) };
const weight = Float32Array.from(matrix(size, 2).data);

const executors = [1, 2].map(threads => createExecutor(threads));
const best = executors.map(() => Number.POSITIVE_INFINITY);
for (const executor of executors) await solveAll(executor, 2 * executor.threads);
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, executor] of executors.entries()) {
    const started = performance.now();
    await solveAll(executor, jobCount);
    best[index] = Math.min(best[index]!, performance.now() - started);
  }
}
for (const executor of executors) await executor.close();
const ratio = best[0]! / best[1]!;
const figures = {
  machine: describeMachine(),
  engine: await describeEngine(),
  loadBefore: load,
  size,
  jobCount,
  oneThreadMs: Math.round(best[0]!),
  twoThreadsMs: Math.round(best[1]!),
  ratio: Number(ratio.toFixed(2)),
  limit: LIMIT,
  holds: ratio >= LIMIT,
};
console.log(JSON.stringify(figures, null, 2));

/** As the pipeline does: never more tasks at the executor than it has threads. */
async function solveAll(executor: Executor, count: number): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const own = { rows: size, columns: size, data: weight.slice() };
      await executor.solve({
        members: [{ weight: own, statistics }],
        solver: 'gptq',
        options: { bits: 4, groupSize: 32 },
      });
    }
  };
  await Promise.all(Array.from({ length: executor.threads }, work));
}

/** Rows of noise; zeros for seed 0. */
function matrix(rows: number, seed: number): Matrix<Float64Array> {
  let state = seed;
  const data = Float64Array.from({ length: rows * size }, () => {
    if (seed === 0) return 0;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns: size, data };
}
