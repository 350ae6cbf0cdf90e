/**
 * What does each part of `dictionary` gain? Mean relative output error over the weights of a model's blocks, on the activations of the
 * original and at equal stored bytes, with the processor time of the solver alone, one thread: the published methods, then ours step by step.
 *
 * `node benchmarks/dictionaryAblation.ts [model] [--calibration <set|file>] [--windows n] [--ratios 0.2,0.3,0.5] [--cospadi 0.3]`
 * Every weight has the ratio, but for the last row. --cospadi: ratios at which cospadi, which takes longest, is run.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CompressedWeight, reconstruct } from '../packages/core/src/index.ts';
import { chooseEngine, describeEngine } from '../packages/linalg/src/index.ts';
import { allocateBits, dense, relativeOutputError, solvers } from '../packages/solvers/src/index.ts';
import { toFloat32 } from '../packages/solvers/src/lowRank/toFloat32.ts';
import { dictionary } from '../packages/solvers/src/sparseDictionary/dictionary.ts';
import { FLOAT_FORMAT } from '../packages/solvers/src/sparseDictionary/dictionaryFormat.ts';
import type { DictionaryOptions } from '../packages/solvers/src/sparseDictionary/dictionaryOptions.ts';
import { dictionaryRateCurve } from '../packages/solvers/src/sparseDictionary/dictionaryRateCurve.ts';
import { dictionarySize } from '../packages/solvers/src/sparseDictionary/dictionarySize.ts';
import { leadingDirections } from '../packages/solvers/src/sparseDictionary/leadingDirections.ts';
import { learnAtBest } from '../packages/solvers/src/sparseDictionary/learnAtBest.ts';
import {
  LEARNING,
  type LearningSettings,
  learnDictionary,
} from '../packages/solvers/src/sparseDictionary/learnDictionary.ts';
import { learnOrthonormal } from '../packages/solvers/src/sparseDictionary/learnOrthonormal.ts';
import { overInputs } from '../packages/solvers/src/sparseDictionary/overInputs.ts';
import { solveDictionary } from '../packages/solvers/src/sparseDictionary/solveDictionary.ts';
import { stackSites } from '../packages/solvers/src/sparseDictionary/stackSites.ts';
import { whitenWeight } from '../packages/solvers/src/sparseDictionary/whitenWeight.ts';
import { describeMachine } from './machine.ts';
import { type ModelSite, modelSites } from './modelSites.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    calibration: { type: 'string', default: 'stories' },
    windows: { type: 'string', default: '64' },
    ratios: { type: 'string', default: '0.2,0.3,0.5' },
    cospadi: { type: 'string' },
  },
});
const model = positionals[0] ?? join(import.meta.dirname, '..', 'models', 'demo');
const ratios = values.ratios.split(',').map(Number);
const cospadiRatios = values.cospadi?.split(',').map(Number) ?? ratios;
const [COMPOT_SWEEPS, SWEEPS, DENSE_BITS] = [20, 40, 16];
const SHORT_SWEEPS = [10, 4];
const ATOMS_PER_NONZERO = 2;
/** Below it a weight stays as it is. */
const LEAST_RATIO = 1e-9;

/** Of sites that read the same input, or of one. */
type Solve = (sites: readonly ModelSite[], ratio: number) => Promise<CompressedWeight[]>;

const alone =
  (solve: (site: ModelSite, ratio: number) => Promise<CompressedWeight>): Solve =>
  async (sites, ratio) => {
    const results: CompressedWeight[] = [];
    for (const site of sites) results.push(await solve(site, ratio));
    return results;
  };

const byName = (name: string): Solve =>
  alone((site, ratio) => {
    const solver = solvers[name]!;
    if (solver.needs === 'group' || solver.needs === 'sharedInput' || solver.needs === 'stack')
      throw new Error(`${name} solves several weights`);
    return solver.solve(site.weight, site.statistics, { ratio });
  });

const stacked =
  (options: Partial<DictionaryOptions> = {}): Solve =>
  (sites, ratio) =>
    dictionary(sites, { ...options, ratio });

/** Each weight by itself, the atoms over its inputs. */
const overItsInputs: Solve = alone(async (site, ratio) => {
  const shape = { outFeatures: site.weight.rows, inFeatures: site.weight.columns };
  const side = await overInputs(await stackSites([site]), shape, FLOAT_FORMAT);
  const code = await learnAtBest(side, { ratio, atomsPerNonzero: undefined, sweeps: SWEEPS, format: FLOAT_FORMAT });
  return (await code.store())[0]!;
});

const apart: Solve = alone(async (site, ratio) => (await stacked()([site], ratio))[0]!);

interface Step extends Partial<LearningSettings> {
  readonly start?: 'compot' | 'directions';
  readonly sweeps?: number;
}

/** `dictionary` with two atoms for a nonzero, from some start. */
const inPart = ({ start = 'directions', sweeps = SWEEPS, ...settings }: Step): Solve =>
  alone(async ({ weight, statistics }, ratio) =>
    solveDictionary(await whitenWeight(weight, statistics), async ({ target }) => {
      const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
      const size = dictionarySize(shape, { ratio, atomsPerNonzero: ATOMS_PER_NONZERO });
      const atoms =
        start === 'compot'
          ? (await learnOrthonormal(target, size, COMPOT_SWEEPS)).atoms
          : await leadingDirections(target, size.atomCount);
      const problem = { target: toFloat32(target), directions: toFloat32(atoms) };
      return { code: await learnDictionary(problem, size, sweeps, { ...LEARNING, ...settings }), size };
    }),
  );

const plain = { placement: 'output', firstShare: 1, overshoot: 0, proximity: [0.5, 0.5] } as const;
const rows: readonly (readonly [string, Solve])[] = [
  ['svd-llm', byName('svd-llm')],
  ['rocket', byName('rocket')],
  ['compot', byName('compot')],
  ['cospadi', byName('cospadi')],
  ['from compot: least squares for the atoms, once', inPart({ ...plain, start: 'compot', sweeps: 0 })],
  [`+ ${SWEEPS} sweeps of proximal steps and least squares`, inPart({ ...plain, start: 'compot' })],
  ['+ one threshold for the whole matrix', inPart({ ...plain, start: 'compot', placement: 'matrix' })],
  ['from the leading directions instead', inPart({ ...plain, placement: 'matrix' })],
  ['+ half of the nonzeros at first', inPart({ ...plain, placement: 'matrix', firstShare: LEARNING.firstShare })],
  ['+ atoms moved beyond least squares', inPart({ ...LEARNING, proximity: plain.proximity })],
  ['+ large moves first, small ones later', inPart(LEARNING)],
  ['+ atoms per nonzero chosen', overItsInputs],
  ['+ atoms over the outputs where those are fewer', apart],
  ['+ atoms shared by sites of a block: `dictionary`', stacked()],
  ...SHORT_SWEEPS.map(
    sweeps => [`\`dictionary\`, ${sweeps} sweeps, 3 atoms a nonzero`, stacked({ sweeps, atomsPerNonzero: 3 })] as const,
  ),
];

await chooseEngine({ threads: 1 });
const sites = await modelSites(model, values.calibration, Number(values.windows));
/** As the pipeline puts them together: what reads one input, and in a block what is alone on its input. */
const groups = [
  ...Map.groupBy([...Map.groupBy(sites, ({ inputName }) => inputName).values()], group =>
    group.length > 1 ? group[0]!.inputName : `${group[0]!.block} ${group[0]!.weight.rows}`,
  ).values(),
].map(joined => joined.flat());
const { gemm } = await describeEngine();
console.log(
  `${describeMachine()}, ${gemm}; ${sites.length} weights, ${values.windows} windows of ${values.calibration}\n`,
);
console.log(`| | ${ratios.map(ratio => `${100 * ratio} % removed: error | time`).join(' | ')} |`);
console.log(`|---|${'---|---|'.repeat(ratios.length)}`);
for (const [name, solve] of rows) {
  const known = name === 'cospadi' ? cospadiRatios : ratios;
  await measure(groups.slice(0, 1), solve, known[0]!); // compiled by then
  const cells: string[] = [];
  for (const ratio of ratios) cells.push(...(known.includes(ratio) ? await measure(groups, solve, ratio) : ['-', '-']));
  console.log(`| ${[name, ...cells].join(' | ')} |`);
}
const pooled: string[] = [];
for (const ratio of ratios) pooled.push(...(await measurePooled(ratio)));
console.log(`| ${['+ ratios by one pool of errors', ...pooled].join(' | ')} |`);

async function measure(
  own: readonly (readonly ModelSite[])[],
  solve: Solve,
  ratio: number,
): Promise<[error: string, time: string]> {
  let [sum, microseconds] = [0, 0];
  for (const group of own) {
    const before = process.cpuUsage();
    const results = await solve(group, ratio);
    const { user, system } = process.cpuUsage(before);
    microseconds += user + system;
    for (const [index, { weight, statistics }] of group.entries()) {
      sum += await relativeOutputError(weight, await reconstruct(results[index]!), statistics.inputGram);
    }
  }
  return [(sum / own.flat().length).toFixed(4), `${(microseconds / 1e6).toFixed(1)} s`];
}

/** As the pipeline spreads a ratio: the least sum of relative squared errors, by what all that read one input lose at falling rates. */
async function measurePooled(ratio: number): Promise<[error: string, time: string]> {
  const before = process.cpuUsage();
  const rated = [];
  for (const group of groups) {
    const curve = await dictionaryRateCurve(group, {});
    const elements = group.reduce((total, { weight }) => total + weight.data.length, 0);
    rated.push({ elements, sensitivity: group.length, curve });
  }
  const asked = DENSE_BITS * (1 - ratio);
  const least = Math.min(asked, Math.max(...rated.map(({ curve }) => curve[0]!.bits)));
  const bits = allocateBits(rated, asked, { least, most: DENSE_BITS });
  const { user, system } = process.cpuUsage(before);
  const own = new Map(groups.map((group, index) => [group[0]!.inputName, 1 - bits[index]! / DENSE_BITS]));
  const solve: Solve = async group => {
    const share = own.get(group[0]!.inputName)!;
    return share > LEAST_RATIO ? stacked()(group, share) : group.map(({ weight }) => dense(weight, {}));
  };
  const [error, time] = await measure(groups, solve, ratio);
  return [error, `${((user + system) / 1e6 + Number.parseFloat(time)).toFixed(1)} s`];
}
