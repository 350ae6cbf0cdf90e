import type { LowRankWeight } from '@quern/core';
import { parseOptions } from '../parseOptions.ts';
import type { StackedSite } from '../solver.ts';
import { type DictionaryFormat, dictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import type { DictionarySide, SideCode } from './dictionarySide.ts';
import { type DictionarySize, dictionarySize } from './dictionarySize.ts';
import { learnBest } from './learnBest.ts';
import { sideOf } from './sideOf.ts';

/** Atoms per nonzero that are tried where none is given. */
const CANDIDATES: readonly number[] = [1.2, 1.5, 2, 2.4, 2.8, 3.4, 4, 4.8, 5.6];

/** Sweeps of a trial. */
export const TRIAL_SWEEPS = 10;

/**
 * Unit atoms that need not be orthogonal and sparse coefficients, whose nonzeros stand wherever they help most. Atoms lie on the shorter side of
 * a weight, and sites share them: what reads one input is one weight, the sites one above the other; sites of several inputs, with as many
 * outputs, stand side by side and have atoms over outputs in common.
 *
 * Objective: the sum over the sites of ||(W - C D) X||_F^2 / ||W X||_F^2, or of W - D C, at a given number of stored bits, the mask counted
 * (see dictionarySize). How many atoms there are for a nonzero is tried, unless `atomsPerNonzero` says it.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: our own; see overInputs and overOutputs. Weights `[outFeatures, inFeatures]` and their statistics stay as they are.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: that of the side, and ten sweeps more for each number of atoms that is tried, three or four.
 */
export async function dictionary(sites: readonly StackedSite[], options: DictionaryOptions): Promise<LowRankWeight[]> {
  const { ratio, atomsPerNonzero, sweeps, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
  const format = dictionaryFormat(asked);
  const side = await sideOf(sites, format);
  const candidates = atomsPerNonzero === undefined ? CANDIDATES : [atomsPerNonzero];
  const sizes = candidates
    .map(candidate => dictionarySize(side.shape, { ratio, atomsPerNonzero: candidate, format }))
    // Where there are no more atoms to be had, more for a nonzero are the same.
    .filter((size, index, all) => size.atomCount !== all[index - 1]?.atomCount);
  return (await learnAtBest(side, sizes, sweeps, format)).store();
}

/** The code of the best size: a few sweeps of each, then all. */
async function learnAtBest(
  side: DictionarySide,
  sizes: readonly DictionarySize[],
  sweeps: number,
  { bits }: DictionaryFormat,
): Promise<SideCode> {
  const tried = sizes.length === 1 ? null : await learnBest(sizes, size => side.learn(size, TRIAL_SWEEPS));
  // Atoms are put to use slowly: the more sweeps, the more atoms are best.
  const next = tried && bits === 16 && sweeps > TRIAL_SWEEPS ? sizes[sizes.indexOf(tried.size) + 1] : undefined;
  return side.learn(next ?? tried?.size ?? sizes[0]!, sweeps);
}
