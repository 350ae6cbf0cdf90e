/**
 * How long do the sparse dictionaries take for one weight, next to their products? 2048 inputs, 8192 outputs, 20 % removed.
 * compot: 20 alternations from few that are timed. dictionary: a sweep, and the share it reaches of the rate of a float32 product
 * of its shape. cospadi: a sweep, its pursuit from 32 outputs, its K-SVD from 8 atoms, in processor time. All on one weight of noise with a falling spectrum.
 * Usage: node benchmarks/dictionarySpeed.ts [inputs] [outputs] [threads]
 */
import { chooseEngine, describeEngine, gemm, type Matrix } from '../packages/linalg/src/index.ts';
import { dictionarySize } from '../packages/solvers/src/sparseDictionary/dictionarySize.ts';
import { keepLargest } from '../packages/solvers/src/sparseDictionary/keepLargest.ts';
import { leadingDirections } from '../packages/solvers/src/sparseDictionary/leadingDirections.ts';
import { learnDictionary } from '../packages/solvers/src/sparseDictionary/learnDictionary.ts';
import { learnOrthonormal } from '../packages/solvers/src/sparseDictionary/learnOrthonormal.ts';
import { normalEquations } from '../packages/solvers/src/sparseDictionary/normalEquations.ts';
import { pursueOrthogonally } from '../packages/solvers/src/sparseDictionary/pursueOrthogonally.ts';
import { updateAtoms } from '../packages/solvers/src/sparseDictionary/updateAtoms.ts';
import { describeMachine } from './machine.ts';

const [inFeatures = 2048, outFeatures = 8192, threads = 2] = process.argv.slice(2).map(Number);
const [RATIO, SWEEPS, SAMPLED_ROWS, SAMPLED_ATOMS] = [0.2, 2, 32, 8];
/** Of cospadi; of dictionary with what it tries before, three numbers of atoms and ten sweeps for each. */
const [COSPADI_SWEEPS, DICTIONARY_SWEEPS] = [60, 40 + 3 * 10];

await chooseEngine({ threads });
const shape = { outFeatures, inFeatures };
const target = fallingNoise(outFeatures, inFeatures);
const size = dictionarySize(shape, { ratio: RATIO, atomsPerNonzero: 2 });
const { atomCount, nonzeroCount } = size;

const noSweep = await timed(() => learnOrthonormal(target, size, 0));
const compotSweepMs = ((await timed(() => learnOrthonormal(target, size, SWEEPS))) - noSweep) / SWEEPS;

const directions = narrow(await leadingDirections(target, atomCount));
const problem = { target: narrow(target), directions };
await learnDictionary(problem, size, 1);
const oneSweep = await timed(() => learnDictionary(problem, size, 1));
const sweepMs = ((await timed(() => learnDictionary(problem, size, 1 + SWEEPS))) - oneSweep) / SWEEPS;
const coefficients = await gemm(problem.target, directions, { transposeB: true });
const square = await gemm(directions, directions, { transposeB: true });
const productMs = Math.min(
  await timed(() => gemm(coefficients, square)),
  await timed(() => gemm(coefficients, square)),
);
const rate = (outFeatures * atomCount ** 2) / productMs;
const sweepWork =
  2 * outFeatures * atomCount * (atomCount + inFeatures) + 2 * atomCount ** 2 * inFeatures + 3 * atomCount ** 3;

const atoms = await leadingDirections(target, atomCount);
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
  compot: {
    sweepMs: Math.round(compotSweepMs),
    of20Seconds: Math.round((20 * compotSweepMs + noSweep) / 1000),
    limitSeconds: 120,
  },
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

function narrow({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float32Array> {
  return { rows, columns, data: Float32Array.from(data) };
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
