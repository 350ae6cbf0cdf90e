/**
 * How near to the memory's own speed do the quantisers come that read no data, and how long does aqlm search?
 *
 * `node benchmarks/quantizerSpeed.ts [--size 4096] [--aqlm 2048] [--threads 2]` with --aqlm 0 to leave it out
 * rtn and hqq on one thread, 4 bits, groups of 32: float32 weights read per second, as a share of a copy of 256 MB. aqlm with two
 * codebooks of 256 words over groups of 8, on a matrix of uniform noise against correlated inputs, products on all cores unless --threads says; its limit is
 * four minutes for 2048 x 2048.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { addGram, chooseEngine, type Matrix } from '@quern/linalg';
import { aqlm, hqq, roundToNearest } from '@quern/solvers';
import { describeMachine, measureReadBandwidth } from './machine.ts';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '4096' },
    aqlm: { type: 'string', default: '2048' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
console.log(describeMachine());
const copied = measureReadBandwidth();
console.log(`copy: ${(copied / 1e9).toFixed(2)} GB/s`);
const weight = noise(Number(values.size), Number(values.size), 1);
const quantisers = {
  'rtn:4': () => roundToNearest(weight, { bits: 4 }),
  'rtn:4 asymmetric': () => roundToNearest(weight, { bits: 4, symmetric: false }),
  'hqq:4': () => hqq(weight, { bits: 4 }),
  'hqq:2': () => hqq(weight, { bits: 2 }),
};
for (const [name, solve] of Object.entries(quantisers)) {
  const ms = best(3, solve);
  const rate = (1000 * weight.data.byteLength) / ms;
  const nanoseconds = (1e6 * ms) / weight.data.length;
  console.log(
    `${name}: ${ms.toFixed(0)} ms for ${values.size} x ${values.size}, ${nanoseconds.toFixed(1)} ns a weight, ${(rate / 1e9).toFixed(2)} GB/s, ${((100 * rate) / copied).toFixed(1)} % of the copy`,
  );
}

const size = Number(values.aqlm);
if (size > 0) {
  const threads = Number(values.threads);
  const { gemm } = await chooseEngine({ threads });
  const activations = noise(2 * size, size, 2);
  for (let index = 1; index < activations.data.length; index++)
    activations.data[index]! += 0.7 * activations.data[index - 1]!;
  const inputGram = { rows: size, columns: size, data: new Float64Array(size * size) };
  await addGram(inputGram, { ...activations, data: Float64Array.from(activations.data) });
  const statistics = { inputGram, tokenCount: 2 * size, meanAbsolute: new Float64Array(size).fill(1) };
  const [started, used] = [performance.now(), process.cpuUsage()];
  await aqlm(noise(size, size, 3), statistics, { bits: 2, group: 8, codebooks: 2, codebookBits: 8 });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(used);
  console.log(
    `aqlm:2, 2 x 8 bits, groups of 8: ${seconds.toFixed(0)} s for ${size} x ${size} (${((user + system) / 1e6).toFixed(0)} s of processor time, ${threads} threads, ${gemm})`,
  );
}

/** Least milliseconds of processor time, so that other work disturbs little. */
function best(rounds: number, run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const used = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(used);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Uniform in [-1, 1). */
function noise(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  let state = (seed * 747796405 + 2891336453) >>> 0;
  const data = Float32Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns, data };
}
