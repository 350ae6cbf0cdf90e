/**
 * How long does GPTQ take, next to the products that it cannot avoid? 2048 inputs, 8192 outputs, 4 bits, groups of 32.
 * The limit is three times the time of inFeatures^2 outFeatures / 2 multiply-adds at the rate that the engine reaches here,
 * in float64, on products of the shape that GPTQ makes. With one thread both are processor time, so that other work on the
 * machine disturbs little; with more, wall time. Usage: node benchmarks/gptqSpeed.ts [inputs] [outputs] [threads]
 */
import { cpus } from 'node:os';
import { addGram, chooseEngine, gemm, type Matrix } from '../packages/linalg/src/index.ts';
import { gptq } from '../packages/solvers/src/index.ts';

const [inFeatures = 2048, outFeatures = 8192, threads = 1] = process.argv.slice(2).map(Number);
const LIMIT = 3;

const engine = await chooseEngine({ threads });
const weight = { rows: outFeatures, columns: inFeatures, data: new Float32Array(outFeatures * inFeatures) };
fill(weight, 1);
const activations = { rows: inFeatures, columns: inFeatures, data: new Float64Array(inFeatures * inFeatures) };
fill(activations, 2);
const inputGram = { rows: inFeatures, columns: inFeatures, data: new Float64Array(inFeatures * inFeatures) };
await addGram(inputGram, activations);
const statistics = { inputGram, tokenCount: inFeatures, meanAbsolute: new Float64Array(inFeatures) };

const rate = await productRate();
const productMs = (inFeatures ** 2 * outFeatures) / 2 / rate;
const results = [];
for (const actOrder of [false, true]) {
  const solveMs = await best(2, () => gptq(weight, statistics, { bits: 4, groupSize: 32, actOrder }));
  results.push({
    actOrder,
    solveMs: Math.round(solveMs),
    shareOfLimit: Number((solveMs / productMs / LIMIT).toFixed(3)),
  });
}
const gflops = Number(((2 * rate) / 1e6).toFixed(1));
const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
console.log(
  JSON.stringify(
    { machine, engine, inFeatures, outFeatures, gflops, productMs: Math.round(productMs), results },
    null,
    2,
  ),
);

/** Multiply-adds per millisecond of the product that carries a block's errors on. */
async function productRate(): Promise<number> {
  const [block, rest, outputs] = [128, Math.max(128, inFeatures >> 1), 512];
  const a = { rows: block, columns: rest, data: new Float64Array(block * rest) };
  const b = { rows: block, columns: outputs, data: new Float64Array(block * outputs) };
  const output = { rows: rest, columns: outputs, data: new Float64Array(rest * outputs) };
  fill(a, 3);
  fill(b, 4);
  const ms = await best(20, () => gemm(a, b, { transposeA: true, alpha: -1, beta: 1, output }));
  return (block * rest * outputs) / ms;
}

async function best(repetitions: number, run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const start = clock();
    await run();
    least = Math.min(least, clock() - start);
  }
  return least;
}

function clock(): number {
  if (threads > 1) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function fill(matrix: Matrix, seed: number): void {
  let state = (seed * 747796405 + 2891336453) >>> 0;
  for (let index = 0; index < matrix.data.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    matrix.data[index] = state / 2 ** 31 - 1;
  }
}
