import type { LowRankWeight, SparseWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { sharedFactorName } from '../lowRank/sharedFactorName.ts';
import { parseOptions } from '../parseOptions.ts';
import type { SiteShape, StackedSite } from '../solver.ts';
import { curveOf } from './dictionaryCurve.ts';
import { type DictionaryFormat, dictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import { type DictionarySize, dictionarySize } from './dictionarySize.ts';
import { isOverOutputs } from './isOverOutputs.ts';
import { leadingDirections } from './leadingDirections.ts';
import { learnBest } from './learnBest.ts';
import { LEARNING, type LearningProblem, type LearningSettings, learnDictionary } from './learnDictionary.ts';
import { learnOutputAtoms, type OutputCode } from './learnOutputAtoms.ts';
import type { LearntCode } from './learntCode.ts';
import { type OutputProblem, outputLearning, outputProblem } from './outputProblem.ts';
import { padSupport } from './padSupport.ts';
import { sideBySide } from './sideBySide.ts';
import { type SizedCode, solveDictionary } from './solveDictionary.ts';
import { splitStack } from './splitStack.ts';
import { type SiteStack, stackSites, whitenStack } from './stackSites.ts';
import { storeOutputCode } from './storeOutputCode.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.4, 2.8, 3.4, 4, 4.8, 5.6];

/** Sweeps of a trial. */
const TRIAL_SWEEPS = 10;

/** Of a curve: most weights choose 2 to 4. */
const CURVE_ATOMS_PER_NONZERO = 2.8;

/**
 * A dictionary of unit atoms that need not be orthogonal, and sparse coefficients, W = coefficients dictionary; nonzeros stand
 * wherever in the matrix they help most. Weights with fewer outputs than inputs have the atoms over their outputs, W = dictionary coefficients, in
 * float16 at least: they are the shorter ones. Sites that read the same input, such as queries, keys and values, stand one above the other and are
 * one weight: the dictionary is paid once for all, and one threshold gives nonzeros to whom they help most. Sites that read several inputs, of as
 * many outputs, stand side by side for the same end and have atoms over their outputs in common.
 *
 * Objective: the sum over the sites of ||(W - C D) X||_F^2 / ||W X||_F^2 at a given number of stored bits, the mask
 * counted (see dictionarySize). How many atoms there are for a nonzero is tried for each stack, unless `atomsPerNonzero` says it.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: our own; see learnDictionary and learnOutputAtoms for its parts.
 * Weights `[outFeatures, inFeatures]` and their statistics stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: an eigenproblem of inFeatures; see these, and ten sweeps more for each candidate that is tried, three or four.
 */
export async function dictionary(sites: readonly StackedSite[], options: DictionaryOptions): Promise<LowRankWeight[]> {
  const { ratio, atomsPerNonzero, sweeps, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
  const format = dictionaryFormat(asked);
  const candidates = atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero];
  const sizesFor = (shape: SiteShape): DictionarySize[] => {
    const sizes = candidates.map(candidate => dictionarySize(shape, { ratio, atomsPerNonzero: candidate, format }));
    // Where there are no more atoms to be had, more for a nonzero are the same.
    return sizes.filter((size, index) => index === 0 || size.atomCount !== sizes[index - 1]!.atomCount);
  };
  const stack = await stackSites(sites);
  if (isOutputStack(stack, format)) {
    const problem = await outputProblem(stack.segments);
    const learning = await outputLearning(problem);
    const stackedOutputs = stack.segments.map(({ weight }) => weight.columns);
    const sizes = sizesFor({ outFeatures: 0, inFeatures: learning.outputs.rows, stackedOutputs });
    const learn = (size: DictionarySize, count: number) => learnOutputAtoms(learning, size, count);
    return storeOverOutputs(sites, { ...stack, problem }, await learnAtBest(sizes, sweeps, format, learn));
  }
  const problem = await whitenStack(stack);
  const { target } = problem;
  const stackedOutputs = sites.map(({ weight }) => weight.rows);
  const sizes = sizesFor({ outFeatures: target.rows, inFeatures: target.columns, stackedOutputs });
  const learning = await learningProblem(target, Math.max(...sizes.map(({ atomCount }) => atomCount)));
  const learn = (size: DictionarySize, count: number) => learnDictionary(learning, size, count, learningFor(format));
  const solved = await solveDictionary(problem, () => learnAtBest(sizes, sweeps, format, learn), format);
  return splitStack(solved, stackedOutputs);
}

/** What weights lose at falling rates by {@link dictionary}, with one number of atoms per nonzero and few sweeps. */
export async function dictionaryRateCurve(
  sites: readonly StackedSite[],
  options: Omit<DictionaryOptions, 'ratio'>,
): Promise<RatePoint[]> {
  const settings = parseOptions(dictionaryOptions, { ...options, ratio: 0.5 }, 'dictionary');
  const { atomsPerNonzero = CURVE_ATOMS_PER_NONZERO } = settings;
  const format = dictionaryFormat(settings);
  const stack = await stackSites(sites);
  if (isOutputStack(stack, format)) {
    const learning = await outputLearning(await outputProblem(stack.segments));
    const stackedOutputs = stack.segments.map(({ weight }) => weight.columns);
    const shape = { outFeatures: sum(stackedOutputs), inFeatures: learning.outputs.rows, stackedOutputs };
    return curveOf(shape, format, async ratio => {
      const size = dictionarySize(shape, { ratio, atomsPerNonzero });
      return (await learnOutputAtoms(learning, size, TRIAL_SWEEPS)).objectives.at(-1)!;
    });
  }
  const { target } = await whitenStack(stack);
  const learning = await learningProblem(target, target.columns);
  const stackedOutputs = sites.map(({ weight }) => weight.rows);
  const shape = { outFeatures: target.rows, inFeatures: target.columns, stackedOutputs };
  return curveOf(shape, format, async ratio => {
    const size = dictionarySize(shape, { ratio, atomsPerNonzero, format });
    return (await learnDictionary(learning, size, TRIAL_SWEEPS, learningFor(format))).objectives.at(-1)!;
  });
}

/** Weights with fewer outputs than inputs, and all that stand side by side. */
function isOutputStack({ segments }: SiteStack, format: DictionaryFormat): boolean {
  return segments.length > 1 || isOverOutputs(segments[0]!.weight, format);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The weights of sites whose atoms lie over their outputs, as they are stored. */
async function storeOverOutputs(
  sites: readonly StackedSite[],
  { problem, rowScales }: SiteStack & { readonly problem: OutputProblem },
  { code, size }: SizedCode<OutputCode>,
): Promise<LowRankWeight[]> {
  const { atoms, coefficients } = code;
  const whole = { rows: 1, columns: coefficients.data.length, data: coefficients.data };
  const widths = coefficients.parts.map(({ columns }) => columns);
  const padded = sideBySide(padSupport(whole, size.nonzeroCount).data, atoms.rows, widths);
  const { left, rights, remaining } = await storeOutputCode(problem, rowScales, { atoms, coefficients: padded });
  const convergence = { objectives: [...code.objectives, remaining], stoppedBy: code.stoppedBy };
  const common = { kind: 'lowRank', outFeatures: left.outFeatures, left, sharedRight: null, convergence } as const;
  if (rights.length === 1) {
    const [right] = rights as [SparseWeight];
    const stored = { ...common, inFeatures: right.inFeatures, right };
    return splitStack(
      stored,
      sites.map(({ weight }) => weight.rows),
    );
  }
  const sharedLeft = { name: sharedFactorName(left), siteCount: rights.length };
  return rights.map(right => ({ ...common, inFeatures: right.inFeatures, right, sharedLeft }));
}

/** The code of the best size: a few sweeps of each, then all. */
async function learnAtBest<Code extends Pick<LearntCode, 'objectives'>>(
  sizes: readonly DictionarySize[],
  sweeps: number,
  { bits }: DictionaryFormat,
  learn: (size: DictionarySize, sweeps: number) => Promise<Code>,
): Promise<SizedCode<Code>> {
  const tried = sizes.length === 1 ? null : await learnBest(sizes, size => learn(size, TRIAL_SWEEPS));
  // Atoms are put to use slowly: the more sweeps, the more atoms are best.
  const next = tried && bits === 16 && sweeps > TRIAL_SWEEPS ? sizes[sizes.indexOf(tried.size) + 1] : undefined;
  const size = next ?? tried?.size ?? sizes[0]!;
  return { code: await learn(size, sweeps), size };
}

/** Long moves find atoms that lean on each other; what is rounded afterwards does better without. */
function learningFor({ bits }: DictionaryFormat): LearningSettings {
  return bits === 16 ? LEARNING : { ...LEARNING, overshoot: 0.9, proximity: [0.5, 0.5] };
}

async function learningProblem(target: Matrix<Float64Array>, atomCount: number): Promise<LearningProblem> {
  return { target: toFloat32(target), directions: toFloat32(await leadingDirections(target, atomCount)) };
}

function toFloat32({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float32Array> {
  return { rows, columns, data: new Float32Array(data) };
}
