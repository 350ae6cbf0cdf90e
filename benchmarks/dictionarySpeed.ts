/**
 * How long do the sparse dictionaries take for one weight, next to their products? 2048 inputs, 8192 outputs, 20 % removed.
 * compot: 20 alternations from few that are timed. dictionary: a sweep, and the share it reaches of the rate of a float32 product
 * of its shape. cospadi: a sweep, its pursuit from 32 outputs, its K-SVD from 8 atoms, in processor time. All on one weight of noise with a falling spectrum.
 * With --outputs the weight has 8192 inputs and 2048 outputs, so that atoms of dictionary lie over the outputs: a sweep of that, the share it reaches of the rate of
 * its largest product, and cospadi as above. What `dictionary` does once before, an eigenproblem of the inputs, is what eigenSpeed.ts measures.
 * With --device: a sweep of dictionary there and on the CPU; the multiply-adds of its graph, and the share they reach of the rate of a float32
 * product of two square matrices on the same device. Prints Markdown.
 * Usage: node benchmarks/dictionarySpeed.ts [--outputs] [--device webgpu|cuda|cpu] [inputs] [outputs] [threads]
 */

import { parseArgs } from 'node:util';

import { chooseEngine, describeEngine, gemm, type Matrix, symmetricEigen } from '../packages/linalg/src/index.ts';
import { type Device, describeGpus, measureDevice } from '../packages/runtime/src/index.ts';
import { toFloat32 } from '../packages/solvers/src/lowRank/toFloat32.ts';
import { dictionarySize } from '../packages/solvers/src/sparseDictionary/dictionarySize.ts';
import { keepLargest } from '../packages/solvers/src/sparseDictionary/keepLargest.ts';
import { leadingDirections } from '../packages/solvers/src/sparseDictionary/leadingDirections.ts';
import { learnDictionary } from '../packages/solvers/src/sparseDictionary/learnDictionary.ts';
import { learnOrthonormal } from '../packages/solvers/src/sparseDictionary/learnOrthonormal.ts';
import { learnOutputAtoms } from '../packages/solvers/src/sparseDictionary/learnOutputAtoms.ts';
import { normalEquations } from '../packages/solvers/src/sparseDictionary/normalEquations.ts';
import { pursueOrthogonally } from '../packages/solvers/src/sparseDictionary/pursueOrthogonally.ts';
import { sampleAtoms } from '../packages/solvers/src/sparseDictionary/sampleAtoms.ts';
import { updateAtoms } from '../packages/solvers/src/sparseDictionary/updateAtoms.ts';
import { useGpu } from '../tools/gpu/useGpu.ts';
import { describeMachine } from './machine.ts';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { outputs: { type: 'boolean', default: false }, device: { type: 'string' } },
});
const isOverOutputs = flags.outputs;
const usual = isOverOutputs ? [8192, 2048] : [2048, 8192];
const [inFeatures = usual[0]!, outFeatures = usual[1]!, threads = 2] = positionals.map(Number);
/** What is one graph on a device where matrices do not stay. */
const DEVICE_SWEEPS = 4;
const [RATIO, SWEEPS, SAMPLED_ROWS, SAMPLED_ATOMS] = [0.2, 2, 32, 8];
/** For each nonzero, where they are the shorter ones. */
const ATOMS_OVER_OUTPUTS = 2.8;
/** Of cospadi; of dictionary with what it tries before, three numbers of atoms and ten sweeps for each. */
const [COSPADI_SWEEPS, DICTIONARY_SWEEPS] = [60, 40 + 3 * 10];

await chooseEngine({ threads });
const shape = { outFeatures, inFeatures };
const target = fallingNoise(outFeatures, inFeatures);
const size = dictionarySize(shape, { ratio: RATIO, atomsPerNonzero: 2 });
const { atomCount, nonzeroCount } = size;

if (flags.device !== undefined) {
  await compareDevices(flags.device as Device);
  process.exit(0);
}

const compot = isOverOutputs ? null : await compotTimes();

const { sweepMs, sweepWork, rate } = await (isOverOutputs ? sweepOverOutputs() : sweepOverInputs());

// Rows of the weight spare an eigenproblem of 8192.
const atoms = isOverOutputs ? sampleAtoms(target, atomCount, 1) : await leadingDirections(target, atomCount);
const sample = { rows: SAMPLED_ROWS, columns: inFeatures, data: target.data.slice(0, SAMPLED_ROWS * inFeatures) };
const equations = await normalEquations(sample, atoms);
const sampledNonzeros = Math.floor((nonzeroCount * SAMPLED_ROWS) / outFeatures);
pursueOrthogonally(equations, sampledNonzeros);
const pursuitMs = await processorTime(async () => pursueOrthogonally(equations, sampledNonzeros));
const few = { rows: SAMPLED_ATOMS, columns: inFeatures, data: atoms.data.slice(0, SAMPLED_ATOMS * inFeatures) };
const used = await gemm(target, few, { transposeB: true });
keepLargest(used.data, Math.floor((nonzeroCount * SAMPLED_ATOMS) / atomCount));
await updateAtoms(target, { coefficients: used, atoms: few });
const updateMs = await processorTime(() => updateAtoms(target, { coefficients: used, atoms: few }));
const [pursuitSweepMs, updateSweepMs] = [
  (pursuitMs * outFeatures) / SAMPLED_ROWS,
  (updateMs * atomCount) / SAMPLED_ATOMS,
];
const timesFaster = (cospadiSweepMs: number): number =>
  Math.round((COSPADI_SWEEPS * cospadiSweepMs) / (DICTIONARY_SWEEPS * sweepMs));

const figures = {
  machine: describeMachine(),
  engine: await describeEngine(),
  ...{ inFeatures, outFeatures, atomCount, nonzeroCount },
  compot,
  dictionary: {
    sweepMs: Math.round(sweepMs),
    shareOfProductRate: Number((sweepWork / sweepMs / rate).toFixed(2)),
    limit: 0.5,
  },
  cospadi: {
    pursuitSweepMs: Math.round(pursuitSweepMs),
    updateSweepMs: Math.round(updateSweepMs),
    pursuitMicrosecondsPerOutput: Math.round((1000 * pursuitMs) / SAMPLED_ROWS),
  },
  dictionaryIsFasterBy: timesFaster(pursuitSweepMs + updateSweepMs),
  dictionaryIsFasterThanPursuitBy: timesFaster(pursuitSweepMs),
};
console.log(JSON.stringify(figures, null, 2));

async function compotTimes() {
  const noSweep = await timed(() => learnOrthonormal(target, size, 0));
  const sweepMs = ((await timed(() => learnOrthonormal(target, size, SWEEPS))) - noSweep) / SWEEPS;
  return {
    sweepMs: Math.round(sweepMs),
    of20Seconds: Math.round((20 * sweepMs + noSweep) / 1000),
    limitSeconds: 120,
  };
}

/** What it takes once, to open graphs and the sweep that is always done on the CPU, is not counted. */
async function compareDevices(device: Device): Promise<void> {
  const gpu = device === 'webgpu' ? await useGpu() : null;
  if (device === 'webgpu' && gpu === null) process.exit(2);
  const { learn, work, atoms: k } = await (isOverOutputs ? workOverOutputs() : workOverInputs());
  const onCpu = await sweepTime(learn);
  const left = await learn(1 + 3 * DEVICE_SWEEPS);
  const lock = new Int32Array(new SharedArrayBuffer(4));
  await chooseEngine({ threads, accelerator: { device, lock, leastFlops: 0 } });
  // The first compiles kernels.
  const firstMs = await timed(() => learn(1 + DEVICE_SWEEPS));
  const few = await timed(() => learn(1 + DEVICE_SWEEPS));
  let leftThere = 0;
  const many = await timed(async () => {
    leftThere = await learn(1 + 3 * DEVICE_SWEEPS);
  });
  const onDevice = (many - few) / (2 * DEVICE_SWEEPS);
  const { gemmFlops } = await measureDevice(device);
  const share = (2 * work) / (onDevice / 1000) / gemmFlops;
  const adapter = gpu?.kind === 'SwiftShader' ? 'SwiftShader, on the processor' : (await describeGpus()).join('; ');
  console.log(
    `${describeMachine()}; ${device}: ${adapter || 'without a name'}; ${outFeatures} x ${inFeatures}, ${k} atoms over the ${isOverOutputs ? 'outputs' : 'inputs'}\n`,
  );
  console.log(
    '| | seconds a sweep | multiply-adds of a sweep | share of the rate of a product | first call | left over |',
  );
  console.log('|---|---|---|---|---|---|');
  console.log(
    `| ${device} | ${(onDevice / 1000).toPrecision(3)} | ${(work / 1e9).toPrecision(3)} G | ${(100 * share).toFixed(1)} % of ${(gemmFlops / 1e9).toPrecision(3)} GFLOP/s | ${Math.round(firstMs)} ms | ${leftThere.toPrecision(4)} |`,
  );
  console.log(`| CPU, ${threads} threads | ${(onCpu / 1000).toPrecision(3)} | | | | ${left.toPrecision(4)} |`);
  console.log(`\nA sweep is ${(onCpu / onDevice).toPrecision(3)} times as fast on ${device}.`);
}

interface DeviceWork {
  /** What is left over after so many sweeps. */
  readonly learn: (sweeps: number) => Promise<number>;
  /** Multiply-adds of a sweep's graphs. */
  readonly work: number;
  readonly atoms: number;
}

async function workOverInputs(): Promise<DeviceWork> {
  const problem = { target: toFloat32(target), directions: toFloat32(await leadingDirections(target, atomCount)) };
  const [m, n, k] = [outFeatures, inFeatures, atomCount];
  return {
    learn: async sweeps => (await learnDictionary(problem, size, sweeps)).objectives.at(-1)!,
    work: m * k * (2 * n + 3 * k) + 4 * k * k * n + 24 * k ** 3,
    atoms: k,
  };
}

async function workOverOutputs(): Promise<DeviceWork> {
  const { learning, own } = await noiseOverOutputs();
  const [length, n, k] = [outFeatures, inFeatures, own.atomCount];
  return {
    learn: async sweeps => (await learnOutputAtoms(learning, own, sweeps)).objectives.at(-1)!,
    work: k * n * (3 * n + 3 * k + 2 * length) + 4 * k * k * length + 12 * k ** 3,
    atoms: k,
  };
}

interface Sweep {
  readonly sweepMs: number;
  /** Multiply-adds. */
  readonly sweepWork: number;
  /** Of a product, multiply-adds a millisecond. */
  readonly rate: number;
}

async function sweepOverInputs(): Promise<Sweep> {
  const directions = toFloat32(await leadingDirections(target, atomCount));
  const problem = { target: toFloat32(target), directions };
  const sweepMs = await sweepTime(sweeps => learnDictionary(problem, size, sweeps));
  const coefficients = await gemm(problem.target, directions, { transposeB: true });
  const square = await gemm(directions, directions, { transposeB: true });
  const rate = (outFeatures * atomCount ** 2) / (await best(() => gemm(coefficients, square)));
  const sweepWork =
    2 * outFeatures * atomCount * (atomCount + inFeatures) + 2 * atomCount ** 2 * inFeatures + 3 * atomCount ** 3;
  return { sweepMs, sweepWork, rate };
}

/** The eigenvectors of the inputs' correlations are noise here: what a sweep takes does not depend on them. */
async function noiseOverOutputs() {
  const own = dictionarySize(
    { outFeatures: inFeatures, inFeatures: outFeatures },
    { ratio: RATIO, atomsPerNonzero: ATOMS_OVER_OUTPUTS },
  );
  const correlations = { rows: inFeatures, columns: inFeatures, data: new Float32Array(inFeatures ** 2) };
  for (let index = 0; index < correlations.data.length; index += inFeatures + 1) correlations.data[index] = 1;
  const weight = toFloat32(target);
  const segment = { target: weight, correlations, pull: weight, directions: correlations };
  const spectrum = new Float64Array(inFeatures).fill(1);
  const { vectors } = await symmetricEigen(await gemm(target, target, { transposeB: true }));
  const energy = target.data.reduce((sum, value) => sum + value * value, 0);
  return { learning: { segments: [{ ...segment, spectrum }], energy, outputs: toFloat32(vectors) }, own };
}

async function sweepOverOutputs(): Promise<Sweep> {
  const { learning, own } = await noiseOverOutputs();
  const [{ target: weight, correlations }] = learning.segments as [(typeof learning.segments)[0]];
  const sweepMs = await sweepTime(sweeps => learnOutputAtoms(learning, own, sweeps));
  const coefficients = { ...weight, rows: own.atomCount, data: weight.data.slice(0, own.atomCount * inFeatures) };
  const k = own.atomCount;
  const rate = (k * inFeatures ** 2) / (await best(() => gemm(coefficients, correlations)));
  const products = 3 * k * inFeatures ** 2 + 3 * k ** 2 * inFeatures + 2 * k * inFeatures * outFeatures;
  return { sweepMs, sweepWork: products + 2 * k ** 2 * outFeatures, rate };
}

async function sweepTime(learn: (sweeps: number) => Promise<unknown>): Promise<number> {
  await learn(1);
  const oneSweep = await timed(() => learn(1));
  return ((await timed(() => learn(1 + SWEEPS))) - oneSweep) / SWEEPS;
}

async function best(run: () => Promise<unknown>): Promise<number> {
  return Math.min(await timed(run), await timed(run));
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

/** Of what runs on one thread: other work on the machine does not count. */
async function processorTime(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Noise whose columns shrink to a tenth. */
function fallingNoise(rows: number, columns: number): Matrix<Float64Array> {
  let state = 1;
  const data = new Float64Array(rows * columns);
  for (let index = 0; index < data.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[index] = (state / 2 ** 31 - 1) * 10 ** (-(index % columns) / columns);
  }
  return { rows, columns, data };
}
