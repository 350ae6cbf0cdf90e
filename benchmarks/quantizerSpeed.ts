/**
 * How near to the memory's own speed do the quantisers come that read no data, and how long does aqlm search?
 *
 * `node benchmarks/quantizerSpeed.ts [--size 4096] [--aqlm 2048] [--threads 2]` with --aqlm 0 to leave it out
 * rtn and hqq on one thread, 4 bits, groups of 32: float32 weights read per second, as a share of a copy of 256 MB between arrays that have
 * their memory. What rtn takes is split into the system's part, which gives the result its memory page by page, what reading costs at the
 * copy's speed, and the rest: arithmetic, some six instructions a weight on four weights each, and grids. hqq passes each group
 * several times, a power of the error each: its passes, counted, with OPERATIONS on four weights each, as a share of the multiply-adds
 * that one thread of WebAssembly can do. aqlm with two codebooks of 256 words over groups of 8, on a matrix of uniform noise against
 * correlated inputs, products on all cores unless --threads says; its limit is four minutes for 2048 x 2048.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { addGram, chooseEngine, createRowQuantizer, type Matrix } from '@quern/linalg';
import { aqlm, hqq, roundToNearest } from '@quern/solvers';
import { describeMachine, measureReadBandwidth } from './machine.ts';
import { measureMultiplyAddRate } from './multiplyAddRate.ts';

/** In the loop of halfQuadraticGrids (packages/linalg/assembly), loads not counted. */
const OPERATIONS = 50;
const GROUP_SIZE = 32;

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '4096' },
    aqlm: { type: 'string', default: '2048' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
console.log(describeMachine());
const copied = measureReadBandwidth();
const rate = measureMultiplyAddRate();
console.log(`copy: ${(copied / 1e9).toFixed(2)} GB/s; multiply-adds: ${(rate / 1e9).toFixed(1)} G/s`);
const weight = noise(Number(values.size), Number(values.size), 1);
const quantisers = {
  'rtn:4': () => roundToNearest(weight, { bits: 4 }),
  'rtn:4 asymmetric': () => roundToNearest(weight, { bits: 4, symmetric: false }),
  'hqq:4': () => hqq(weight, { bits: 4 }),
  'hqq:2': () => hqq(weight, { bits: 2 }),
};
for (const [name, solve] of Object.entries(quantisers)) {
  const { user, system } = best(name.startsWith('rtn') ? 200 : 20, solve);
  const ms = user + system;
  const read = (1000 * weight.data.byteLength) / ms;
  const nanoseconds = (1e6 * ms) / weight.data.length;
  const passes = name.startsWith('hqq') ? passesOver(Number(name.at(-1))) : null;
  const reading = (1000 * weight.data.byteLength) / copied;
  const share =
    passes === null
      ? `: ${system.toFixed(1)} ms memory for the result, ${reading.toFixed(1)} ms reading, ${(user - reading).toFixed(1)} ms arithmetic`
      : `; ${passes.toFixed(1)} passes: ${percent(passes * OPERATIONS, nanoseconds * (rate / 1e9))} of the arithmetic limit`;
  console.log(
    `${name}: ${ms.toFixed(1)} ms for ${values.size} x ${values.size}, ${nanoseconds.toFixed(2)} ns a weight, ${(read / 1e9).toFixed(2)} GB/s, ${percent(read, copied)} of the copy${share}`,
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

/** Passes over a group that hqq takes on average, on the first rows. */
function passesOver(bits: number): number {
  const quantizer = createRowQuantizer(weight.columns, GROUP_SIZE);
  const { rowCapacity, groupsPerRow } = quantizer;
  const rule = { bits, symmetric: false, scaleType: 'float16', raiseSmallScales: false } as const;
  let passes = 0;
  const chunks = Math.floor(Math.min(64, weight.rows) / rowCapacity);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const start = chunk * rowCapacity * weight.columns;
    quantizer.values.set(weight.data.subarray(start, start + quantizer.values.length));
    quantizer.measure(rowCapacity);
    quantizer.cover(rowCapacity, rule);
    passes += quantizer.refine(rowCapacity, { ...rule, norm: 0.7, iterations: 10 });
  }
  return passes / (chunks * rowCapacity * groupsPerRow);
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/**
 * Least milliseconds of processor time, so that other work disturbs little, and how much of them is the system's: by its share of all
 * rounds, since it is counted in coarse ticks.
 */
function best(rounds: number, run: () => unknown): { user: number; system: number } {
  let least = Number.POSITIVE_INFINITY;
  const begun = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const used = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(used);
    least = Math.min(least, (user + system) / 1000);
  }
  const all = process.cpuUsage(begun);
  const system = (least * all.system) / (all.user + all.system);
  return { user: least - system, system };
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
