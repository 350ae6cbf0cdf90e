import type { Convergence } from '@quern/core';
import { gemm, type Matrix, sweepOutputAtoms } from '@quern/linalg';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { atomsBeyond } from './atomsBeyond.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { fitOutputAtoms } from './fitOutputAtoms.ts';
import { keepLargest } from './keepLargest.ts';
import { AFTER_A_RISE, LEARNING } from './learnDictionary.ts';
import { learningSchedule } from './learningSchedule.ts';
import { moveOutputCoefficients } from './moveOutputCoefficients.ts';
import type { OutputLearning } from './outputProblem.ts';
import { type SideBySide, sideBySide } from './sideBySide.ts';

/** Atoms over outputs, the coefficients of every site, and what they left over after each sweep. */
export interface OutputCode extends Pick<Convergence, 'stoppedBy'> {
  /** `[atomCount, outFeatures]`, rows of norm 1. */
  readonly atoms: Matrix<Float64Array>;
  /** `[atomCount, inFeatures]` for each site, mostly 0. */
  readonly coefficients: SideBySide<Float64Array>;
  /** sum_i tr((Y_i - A^T C_i) R_i (Y_i - A^T C_i)^T) as a share of sum_i tr(Y_i R_i Y_i^T). */
  readonly objectives: readonly number[];
}

/**
 * Unit atoms over the outputs of weights Y_i `[outFeatures, inFeatures]` and coefficients over the inputs of each, Y_i = A^T C_i, turn about: least
 * squares for the atoms, a proximal step and one threshold for all coefficients, with the settings of learnDictionary and stopped like it.
 *
 * Objective: min sum_i tr((Y_i - A^T C_i) R_i (Y_i - A^T C_i)^T) with `nonzeroCount` nonzeros in all C_i together, wherever they help most.
 * Where weights have fewer outputs than inputs such atoms are the shorter ones. Float32, inverses and eigenproblems float64. At most as many
 * atoms as outputs. With an accelerator all sweeps but the last run there, see sweepOutputAtoms.
 * Source: our own. Cost: a sweep takes for each site atomCount inFeatures (3 inFeatures + 3 atomCount + 2 outFeatures) multiply-adds, and an
 * eigenproblem and an inverse of atomCount.
 */
export async function learnOutputAtoms(
  { segments, energy, outputs }: OutputLearning,
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
): Promise<OutputCode> {
  const { overshoot, proximity, firstShare } = LEARNING;
  const widths = segments.map(({ target }) => target.columns);
  const placeCount = atomCount * widths.reduce((sum, width) => sum + width, 0);
  const empty = (): SideBySide<Float32Array> => sideBySide(new Float32Array(placeCount), atomCount, widths);
  const schedule = learningSchedule({ sweeps, nonzeroCount, placeCount, firstShare, proximity });
  const length = outputs.columns;
  let atoms: Matrix<Float32Array> = {
    rows: atomCount,
    columns: length,
    data: outputs.data.slice(0, atomCount * length),
  };
  let coefficients = empty();
  for (const [index, { target }] of segments.entries()) {
    await gemm(atoms, target, { output: coefficients.parts[index]! });
  }
  keepLargest(coefficients.data, schedule.countAt(0));
  const plan = { ...schedule, overshoot, afterRise: AFTER_A_RISE, energy };
  const begun = { atoms, coefficients: coefficients.parts };
  const sent = energy > 0 ? await sweepOutputAtoms(segments, begun, plan) : null;
  if (sent) {
    atoms = sent.atoms;
    for (const [index, { data }] of sent.coefficients.entries()) coefficients.parts[index]!.data.set(data);
  }
  const objectives: number[] = [...(sent?.objectives ?? [])];
  const first = objectives.length;
  let heldBack = sent?.heldBack ?? 1;
  let isSettled = energy === 0;
  for (let sweep = first; energy > 0; sweep++) {
    const fitted = await fitOutputAtoms(segments, { atoms, coefficients });
    objectives.push(Math.max(0, 1 - fitted.explained / energy));
    if (objectives.at(-1)! > (objectives.at(-2) ?? 1)) heldBack *= AFTER_A_RISE;
    const isThresholdedHere = sent === null || sweep > first;
    isSettled = isThresholdedHere && schedule.hasSettled(objectives);
    if (sweep === sweeps || isSettled) {
      atoms = fitted.atoms;
      break;
    }
    atoms = atomsBeyond(atoms, fitted.atoms, overshoot);
    const held = heldBack * schedule.proximityAt(sweep);
    const moved = empty();
    await moveOutputCoefficients({ atoms, coefficients }, { segments, proximity: held }, moved);
    keepLargest(moved.data, schedule.countAt(sweep + 1));
    coefficients = moved;
  }
  return {
    atoms: toFloat64(atoms),
    coefficients: sideBySide(Float64Array.from(coefficients.data), atomCount, widths),
    objectives: energy > 0 ? objectives : [0],
    stoppedBy: isSettled ? 'tolerance' : 'sweeps',
  };
}
