import type { LowRankWeight } from '@quern/core';
import { parseOptions } from '../parseOptions.ts';
import type { StackedSite } from '../solver.ts';
import { dictionaryFormat } from './dictionaryFormat.ts';
import { type DictionaryOptions, dictionaryOptions } from './dictionaryOptions.ts';
import { dictionaryShape } from './dictionaryShape.ts';
import { learnAtBest } from './learnAtBest.ts';
import { type SideRule, sideOf } from './sideOf.ts';

/**
 * Unit atoms that need not be orthogonal and sparse coefficients, whose nonzeros stand wherever they help most. Atoms lie on the shorter side of
 * a weight, and sites share them: what reads one input is one weight, the sites one above the other; sites of several inputs, with as many
 * outputs, stand side by side and have atoms over outputs in common.
 *
 * Objective: the sum over the sites of ||(W - C D) X||_F^2 / ||W X||_F^2, or of W - D C, at a given number of stored bits, the mask counted
 * (see dictionarySize). How many atoms there are for a nonzero is tried, unless `atomsPerNonzero` says it.
 * Stops after `sweeps`, or once three of them move the objective by less than 1e-4 of itself; the result says which.
 * Source: our own; see overInputs and overOutputs. Weights `[outFeatures, inFeatures]` and their statistics stay as they are.
 * `sideFor` says where atoms lie.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT, NON_FINITE_ACTIVATION, SOLVER_FAILED, NOT_POSITIVE_DEFINITE.
 * Cost: that of the side, and ten sweeps more for each number of atoms that is tried, three or four.
 */
export async function dictionary(
  sites: readonly StackedSite[],
  options: DictionaryOptions,
  sideFor: SideRule = dictionaryShape,
): Promise<LowRankWeight[]> {
  const { ratio, atomsPerNonzero, sweeps, ...asked } = parseOptions(dictionaryOptions, options, 'dictionary');
  const format = dictionaryFormat(asked);
  const side = await sideOf(sites, format, sideFor);
  return (await learnAtBest(side, { ratio, atomsPerNonzero, sweeps, format })).store();
}
