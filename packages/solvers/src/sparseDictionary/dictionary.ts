import type { InputStatistics, LowRankWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import type { RatePoint } from '../entropyCoded/rateCurve.ts';
import { parseOptions } from '../parseOptions.ts';
import type { SharedInputSite } from '../solver.ts';
import { dictionaryCurve } from './dictionaryCurve.ts';
import { type DictionaryFormat, dictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import { type DictionarySize, dictionarySize } from './dictionarySize.ts';
import { leadingDirections } from './leadingDirections.ts';
import { learnBest } from './learnBest.ts';
import { LEARNING, type LearningProblem, type LearningSettings, learnDictionary } from './learnDictionary.ts';
import { learnOutputAtoms } from './learnOutputAtoms.ts';
import type { LearntCode } from './learntCode.ts';
import { type OutputLearning, outputLearning, outputProblem } from './outputProblem.ts';
import { padSupport } from './padSupport.ts';
import { scaleRows } from './scaleRows.ts';
import { type SizedCode, solveDictionary } from './solveDictionary.ts';
import { splitStack } from './splitStack.ts';
import { stackSites } from './stackSites.ts';
import { storeOutputCode } from './storeOutputCode.ts';
import type { WhitenedWeight } from './whitenWeight.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.4, 2.8, 3.4, 4, 4.8, 5.6];

/** Sweeps of a trial. */
const TRIAL_SWEEPS = 10;

/** Of a curve: most weights choose 2 to 4. */
const CURVE_ATOMS_PER_NONZERO = 2.8;

/** One of the sites that read an input. */
export interface DictionarySite {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  readonly options: DictionaryOptions;
}

/**
 * A dictionary of unit atoms that need not be orthogonal, and sparse coefficients, W = coefficients dictionary; nonzeros stand
 * wherever in the matrix they help most. Weights with fewer outputs than inputs have the atoms over their outputs, W = dictionary coefficients, in
 * float16 at least: they are the shorter ones. Sites that read the same input, such as queries, keys and values, stand one above the other and are
 * one weight: the dictionary is paid once for all, and one threshold gives nonzeros to whom they help most.
 *
 * Objective: the sum over the sites of ||(W - C D) X||_F^2 / ||W X||_F^2 at a given number of stored bits, the mask
 * counted (see dictionarySize). How many atoms there are for a nonzero is tried for each stack, unless `atomsPerNonzero` says it.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: our own; see learnDictionary and learnOutputAtoms for its parts.
 * All sites have the options of the first. Weights and `statistics.inputGram` `[inFeatures, inFeatures]` stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: an eigenproblem of inFeatures; see these, and ten sweeps more for each candidate that is tried, three or four.
 */
export async function dictionary(
  sites: readonly DictionarySite[],
  statistics: InputStatistics | null,
): Promise<LowRankWeight[]> {
  const weights = sites.map(({ weight }) => weight);
  const { ratio, atomsPerNonzero, sweeps, ...asked } = parseOptions(dictionaryOptions, sites[0]!.options, 'dictionary');
  const format = dictionaryFormat(asked);
  const stackedOutputs = weights.map(({ rows }) => rows);
  const problem = await stackSites(weights, statistics);
  const { rows: outFeatures, columns: inFeatures } = problem.weight;
  const candidates = atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero];
  const shape = isOverOutputs(problem.weight, format)
    ? { outFeatures: inFeatures, inFeatures: outFeatures }
    : { outFeatures, inFeatures, stackedOutputs };
  const sizes = candidates.map(candidate => dictionarySize(shape, { ratio, atomsPerNonzero: candidate, format }));
  if (isOverOutputs(problem.weight, format)) {
    const given = await outputProblem(problem);
    const learning = await outputLearning(given);
    const { code, size } = await learnAtBest(sizes, sweeps, format, (own, count) =>
      learnOutputAtoms(learning, own, count),
    );
    const coefficients = padSupport(code.coefficients, size.nonzeroCount);
    return splitStack(await storeOutputCode(given, problem.rowScales, { ...code, coefficients }), stackedOutputs);
  }
  const learn = async ({ target }: WhitenedWeight): Promise<SizedCode> => {
    const learning = await learningProblem(target, Math.max(...sizes.map(({ atomCount }) => atomCount)));
    return learnAtBest(sizes, sweeps, format, (size, count) =>
      learnDictionary(learning, size, count, learningFor(format)),
    );
  };
  return splitStack(await solveDictionary(problem, learn, format), stackedOutputs);
}

/** Whether atoms lie over the outputs, where they are shorter. On grids they do not: coefficients have a scale an output. */
function isOverOutputs(
  { rows, columns }: Pick<Matrix, 'rows' | 'columns'>,
  { bits, atomBits }: DictionaryFormat,
): boolean {
  return rows < columns && bits === 16 && atomBits === 16;
}

/** The code of the best size: a few sweeps of each, then all. */
async function learnAtBest(
  sizes: readonly DictionarySize[],
  sweeps: number,
  { bits }: DictionaryFormat,
  learn: (size: DictionarySize, sweeps: number) => Promise<LearntCode>,
): Promise<SizedCode> {
  const tried = sizes.length === 1 ? null : await learnBest(sizes, size => learn(size, TRIAL_SWEEPS));
  // Atoms are put to use slowly: the more sweeps, the more atoms are best.
  const next = tried && bits === 16 && sweeps > TRIAL_SWEEPS ? sizes[sizes.indexOf(tried.size) + 1] : undefined;
  const size = next ?? tried?.size ?? sizes[0]!;
  return { code: await learn(size, sweeps), size };
}

/** The one weight that sites are taken for, rows scaled as they count. Errors and inputs as {@link dictionary}. */
export async function dictionaryStack(
  sites: readonly SharedInputSite[],
  statistics: InputStatistics | null,
): Promise<Matrix<Float32Array>> {
  const stacked = sites.map(({ weight }) => weight);
  const { weight, rowScales } = await stackSites(stacked, statistics);
  const { rows, columns, data } = rowScales ? scaleRows(weight, rowScales) : weight;
  return { rows, columns, data: new Float32Array(data) };
}

/** What a weight loses at falling rates by {@link dictionary}, with one number of atoms per nonzero and few sweeps. */
export function dictionaryRateCurve(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: Omit<DictionaryOptions, 'ratio'>,
): Promise<RatePoint[]> {
  const settings = parseOptions(dictionaryOptions, { ...options, ratio: 0.5 }, 'dictionary');
  const { atomsPerNonzero = CURVE_ATOMS_PER_NONZERO } = settings;
  const format = dictionaryFormat(settings);
  const { rows, columns } = weight;
  if (isOverOutputs(weight, format)) {
    let learning: Promise<OutputLearning> | null = null;
    return dictionaryCurve(weight, statistics, async (problem, ratio) => {
      learning ??= outputProblem(problem).then(outputLearning);
      const size = dictionarySize({ outFeatures: columns, inFeatures: rows }, { ratio, atomsPerNonzero });
      return (await learnOutputAtoms(await learning, size, TRIAL_SWEEPS)).objectives.at(-1)!;
    });
  }
  const shape = { outFeatures: rows, inFeatures: columns };
  let prepared: Promise<LearningProblem> | null = null;
  return dictionaryCurve(
    weight,
    statistics,
    async ({ target }, ratio) => {
      prepared ??= learningProblem(target, target.columns);
      const size = dictionarySize(shape, { ratio, atomsPerNonzero, format });
      return (await learnDictionary(await prepared, size, TRIAL_SWEEPS, learningFor(format))).objectives.at(-1)!;
    },
    format,
  );
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
