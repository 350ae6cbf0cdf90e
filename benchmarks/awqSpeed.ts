/**
 * How long does AWQ take, next to the products that it makes? 2048 inputs, 2048 outputs, 3 bits, groups of 32 and 128.
 * The limit is the time of 25 products of outFeatures inFeatures^2 multiply-adds in single precision, at the rate that the engine
 * reaches here. One thread, processor time, so that other work on the machine disturbs little.
 * Usage: node benchmarks/awqSpeed.ts [inputs] [outputs]
 */
import { addGram, chooseEngine, gemm, type Matrix } from '@quern/linalg';
import { solvers } from '@quern/solvers';
import { describeMachine } from './machine.ts';

const [inFeatures = 2048, outFeatures = 2048] = process.argv.slice(2).map(Number);
const LIMIT = 25;

await chooseEngine({ threads: 1 });
const weight = filled(outFeatures, inFeatures, 1);
const inputGram = { rows: inFeatures, columns: inFeatures, data: new Float64Array(inFeatures ** 2) };
const activations = filled(inFeatures, inFeatures, 2);
await addGram(inputGram, { ...activations, data: Float64Array.from(activations.data) });
const meanAbsolute = Float64Array.from({ length: inFeatures }, (_, at) => 0.5 + ((at * 7919) % 13));
const statistics = { inputGram, tokenCount: inFeatures, meanAbsolute };

const square = filled(inFeatures, inFeatures, 3);
const productMs = await best(3, () => gemm(weight, square));
const awq = solvers.awq!;
console.log(`${describeMachine()}; ${outFeatures} x ${inFeatures}, one product ${productMs.toFixed(0)} ms`);
console.log('| groups | awq | products of that time | share of the limit of 25 |\n|---|---|---|---|');
for (const groupSize of [32, 128]) {
  if (awq.needs !== 'sharedInput') break;
  const ms = await best(2, () => awq.solve([{ weight, options: { bits: 3, groupSize } }], statistics));
  const passes = ms / productMs;
  console.log(`| ${groupSize} | ${(ms / 1000).toFixed(1)} s | ${passes.toFixed(1)} | ${(passes / LIMIT).toFixed(2)} |`);
}

function filled(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  const data = Float32Array.from({ length: rows * columns }, (_, at) => Math.sin(at * 1.7 + seed) * (1 + (at % 5)));
  return { rows, columns, data };
}

async function best(repetitions: number, run: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}
