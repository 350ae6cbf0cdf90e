/**
 * How much faster do two worker threads solve than one? Eight equal GPTQ jobs, 1024 x 1024, 4 bits, groups of 32; threads are
 * started and warm. The median of fifteen rounds, one and two threads in turn; the limit is 1.7 times. Beside it, in the same rounds,
 * what two threads of nothing but matrix products gain: cores that share caches and memory with others give less than 2, and
 * no job that is mostly products can do better. The flag is what quern sets for itself; without it the collector's threads take
 * part of a core: one worker seems faster, two are slower. Usage: node --no-incremental-marking benchmarks/workerScaling.ts [size] [jobs]
 */
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { Worker } from 'node:worker_threads';
import { addGram, describeEngine, type Matrix } from '../packages/linalg/src/index.ts';
import { createExecutor, type Executor } from '../packages/pipeline/src/solve/createExecutor.ts';
import { describeMachine } from './machine.ts';

const [size = 1024, jobCount = 8] = process.argv.slice(2).map(Number);
const [LIMIT, ROUNDS, WARM_UP, PRODUCTS] = [1.7, 15, 12, 12];

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
const gemmWorkers = [0, 1].map(() => new Worker(new URL('./gemmWorker.ts', import.meta.url)));
for (const executor of executors) await solveAll(executor, WARM_UP * executor.threads);
await multiplyAll(2, 4);
const solved: number[][] = [];
const multiplied: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const [one, two] = [
    await timed(() => solveAll(executors[0]!, jobCount)),
    await timed(() => solveAll(executors[1]!, jobCount)),
  ];
  solved.push([one, two, one / two]);
  multiplied.push((await timed(() => multiplyAll(1, PRODUCTS))) / (await timed(() => multiplyAll(2, PRODUCTS))));
}
for (const executor of executors) await executor.close();
for (const worker of gemmWorkers) await worker.terminate();
const [one, two, ratio] = [0, 1, 2].map(index => median(solved.map(times => times[index]!))) as [
  number,
  number,
  number,
];
const products = median(multiplied);
const figures = {
  machine: describeMachine(),
  engine: await describeEngine(),
  flags: process.execArgv,
  loadBefore: load,
  size,
  jobCount,
  oneThreadMs: Math.round(one),
  twoThreadsMs: Math.round(two),
  ratio: Number(ratio.toFixed(2)),
  ratios: solved.map(times => Number(times[2]!.toFixed(2))),
  ratioOfProducts: Number(products.toFixed(2)),
  shareOfProducts: Number((ratio / products).toFixed(2)),
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
        members: [{ weight: own, statistics, options: { bits: 4, groupSize: 32 } }],
        solver: 'gptq',
      });
    }
  };
  await Promise.all(Array.from({ length: executor.threads }, work));
}

/** So many products, shared out to so many threads. */
async function multiplyAll(threads: number, count: number): Promise<void> {
  await Promise.all(
    gemmWorkers.slice(0, threads).map(async worker => {
      worker.postMessage(count / threads);
      await once(worker, 'message');
    }),
  );
}

async function timed(run: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1]!;
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
