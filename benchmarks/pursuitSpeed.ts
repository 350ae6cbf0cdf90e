/**
 * Is our batched orthogonal matching pursuit as fast as scikit-learn's Gram OMP, on one core, at the same sizes and on the same numbers?
 * Both are given Gram and products; both give coefficients of the same supports, which is checked. Where no python3 has scikit-learn
 * ours is timed alone. Processor time, so that others on the machine disturb little.
 * Usage: node benchmarks/pursuitSpeed.ts [python3]   (Debian: apt-get install python3-sklearn, then /usr/bin/python3)
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chooseEngine, gemm, type Matrix } from '../packages/linalg/src/index.ts';
import { pursueOrthogonally } from '../packages/solvers/src/sparseDictionary/pursueOrthogonally.ts';
import { sampleAtoms } from '../packages/solvers/src/sparseDictionary/sampleAtoms.ts';
import { describeMachine } from './machine.ts';

/** Inputs, atoms, nonzeros, signals: of small models, of the paper's sizes, and one with more atoms than inputs. */
const SIZES = [
  [128, 64, 32, 512],
  [128, 256, 16, 512],
  [512, 256, 128, 128],
  [768, 512, 256, 32],
  [2048, 1365, 682, 4],
] as const;
const REPEATS = 3;

const [python = '/usr/bin/python3'] = process.argv.slice(2);
await chooseEngine({ threads: 1 });
const folder = await mkdtemp(join(tmpdir(), 'quern-pursuit-'));
try {
  console.log(`${describeMachine()}; one core; best of ${REPEATS}\n`);
  console.log('| inputs | atoms | nonzeros | ours, us a signal | scikit-learn | ratio | supports that differ |');
  console.log('|---|---|---|---|---|---|---|');
  for (const [inputs, atomCount, nonzeros, signals] of SIZES) {
    const atoms = sampleAtoms(noise(atomCount, inputs, 1), atomCount, 1);
    const target = noise(signals, inputs, 2);
    const atomGram = await gemm(atoms, atoms, { transposeB: true });
    const correlations = await gemm(target, atoms, { transposeB: true });
    const run = () => pursueOrthogonally({ atomGram, correlations }, signals * nonzeros);
    const { data } = run();
    const ours = best(run) / signals;
    const theirs = await inPython({ atomGram, correlations, nonzeros });
    const differing = theirs && countDiffering(data, theirs.coefficients, atomCount);
    const line = [
      inputs,
      atomCount,
      nonzeros,
      (1000 * ours).toFixed(0),
      theirs ? (1000 * (theirs.durationMs / signals)).toFixed(0) : 'not there',
      theirs ? `${(theirs.durationMs / signals / ours).toFixed(1)}x` : '-',
      differing === null ? '-' : `${differing} of ${signals}`,
    ];
    console.log(`| ${line.join(' | ')} |`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Problem {
  readonly atomGram: Matrix<Float64Array>;
  readonly correlations: Matrix<Float64Array>;
  readonly nonzeros: number;
}

/** Null where python3 or scikit-learn is not there. */
async function inPython({ atomGram, correlations, nonzeros }: Problem) {
  const path = (name: string): string => join(folder, name);
  await writeFile(path('gram'), atomGram.data);
  await writeFile(path('seen'), correlations.data);
  const script = join(import.meta.dirname, 'pursuitSpeed.py');
  const parameters = [script, folder, correlations.columns, correlations.rows, nonzeros, REPEATS].map(String);
  const one = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const ran = await promisify(execFile)(python, parameters, { env: { ...process.env, ...one } }).catch(() => null);
  if (ran === null) return null;
  const bytes = await readFile(path('code'));
  const coefficients = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  return { coefficients, durationMs: 1000 * Number(ran.stdout) };
}

/** Signals whose supports are not the same; ties and rounding may part them. */
function countDiffering(ours: Float64Array, theirs: Float64Array, atomCount: number): number {
  let count = 0;
  for (let start = 0; start < ours.length; start += atomCount) {
    const own = ours.subarray(start, start + atomCount);
    if (own.some((value, atom) => (value === 0) !== (theirs[start + atom] === 0))) count++;
  }
  return count;
}

function best(run: () => unknown): number {
  const times = Array.from({ length: REPEATS }, () => {
    const started = process.threadCpuUsage();
    run();
    const { user, system } = process.threadCpuUsage(started);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

function noise(rows: number, columns: number, seed: number): Matrix<Float64Array> {
  let state = seed;
  const data = Float64Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns, data };
}
