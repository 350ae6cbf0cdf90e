/**
 * How long does svd-llm take, next to what it cannot avoid? 2048 inputs, 8192 outputs, half of the bytes removed.
 * The limit is 1.3 times its products, each timed alone at its own shape, and one eigen decomposition.
 * Usage: node benchmarks/lowRankSpeed.ts [inputs] [outputs] [threads]
 */
import {
  addGram,
  cholesky,
  chooseEngine,
  describeEngine,
  gemm,
  type Matrix,
  solveTriangular,
  symmetricEigen,
} from '../packages/linalg/src/index.ts';
import { solvers } from '../packages/solvers/src/index.ts';
import { describeMachine } from './machine.ts';

const [inFeatures = 2048, outFeatures = 8192, threads = 1] = process.argv.slice(2).map(Number);
const [LIMIT, RATIO, ROUNDS] = [1.3, 0.5, 2];

await chooseEngine({ threads });
const wide = noise(outFeatures, inFeatures, 1);
const weight = { ...wide, data: Float32Array.from(wide.data) };
const inputGram = noise(inFeatures, inFeatures, 0);
await addGram(inputGram, noise(2 * inFeatures, inFeatures, 2));
const statistics = { inputGram, tokenCount: 2 * inFeatures, meanAbsolute: new Float64Array(inFeatures).fill(1) };
const rank = Math.floor(((1 - RATIO) * inFeatures * outFeatures) / (inFeatures + outFeatures));

// Rounds in turn, so that a slow minute of the machine falls on both.
let [solve, products, eigen] = [Infinity, Infinity, Infinity];
for (let round = 0; round < ROUNDS; round++) {
  const solver = solvers['svd-llm']!;
  if (solver.needs === 'group' || solver.needs === 'sharedInput' || solver.needs === 'stack')
    throw new Error('svd-llm solves one weight at a time');
  solve = Math.min(solve, await timed(() => solver.solve(weight, statistics, { ratio: RATIO })));
  products = Math.min(products, await timed(outFeatures <= inFeatures ? productsOfOutputs : productsOfInputs));
  const side = noise(Math.min(inFeatures, outFeatures), Math.min(inFeatures, outFeatures), 0);
  await addGram(side, noise(2 * side.columns, side.columns, 3));
  eigen = Math.min(eigen, await timed(() => symmetricEigen(side)));
}
const ratio = solve / (products + eigen);
const figures = {
  machine: describeMachine(),
  engine: await describeEngine(),
  inFeatures,
  outFeatures,
  rank,
  solveMs: Math.round(solve),
  productsMs: Math.round(products),
  eigenMs: Math.round(eigen),
  ratio: Number(ratio.toFixed(2)),
  limit: LIMIT,
  holds: ratio <= LIMIT,
};
console.log(JSON.stringify(figures, null, 2));

/** Fewer outputs than inputs: W G W^T, then U^T W. */
async function productsOfOutputs(): Promise<void> {
  const timesGram = await gemm(wide, inputGram);
  await gemm(timesGram, wide, { transposeB: true });
  await gemm(noise(rank, outFeatures, 4), wide);
}

/** Fewer inputs: the Cholesky factor, W L, its Gram, left = W L V^T, right = V L^-1. */
async function productsOfInputs(): Promise<void> {
  const { matrix: lower } = await cholesky(inputGram, 'lower');
  const whitened = await gemm(wide, lower!);
  await gemm(whitened, whitened, { transposeA: true });
  const basis = noise(rank, inFeatures, 4);
  await gemm(whitened, basis, { transposeB: true });
  await solveTriangular(lower!, basis, { triangle: 'lower', side: 'right' });
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

/** Uniform noise; zeros for seed 0. */
function noise(rows: number, columns: number, seed: number): Matrix<Float64Array> {
  let state = seed;
  const data = new Float64Array(rows * columns);
  for (let index = 0; seed !== 0 && index < data.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[index] = state / 2 ** 31 - 1;
  }
  return { rows, columns, data };
}
