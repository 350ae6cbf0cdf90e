import { gemm, type Matrix, sweepDictionary } from '@quern/linalg';
import { toFloat64 } from '../lowRank/toFloat64.ts';
import { atomsBeyond } from './atomsBeyond.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { fitAtoms } from './fitAtoms.ts';
import { keepLargest } from './keepLargest.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { learningSchedule } from './learningSchedule.ts';
import type { LearntCode } from './learntCode.ts';
import { moveCoefficients } from './moveCoefficients.ts';
import type { SparseCode } from './sparseCode.ts';

/** How a code is learnt. */
export interface LearningSettings {
  /** Whether nonzeros stand wherever in the matrix they help most, or every output has as many; the mask takes the same bits. */
  readonly placement: 'matrix' | 'output';
  /** Of the nonzeros at the start. All are there after four fifths of the sweeps. */
  readonly firstShare: number;
  /** Of the way that least squares moves an atom, gone once more: fewer sweeps reach the same. */
  readonly overshoot: number;
  /** How much coefficients are held back in the first sweep and in the last, see moveCoefficients: large moves find better places, small ones settle. */
  readonly proximity: readonly [first: number, last: number];
}

export const LEARNING: LearningSettings = {
  placement: 'matrix',
  firstShare: 0.5,
  overshoot: 0.8,
  proximity: [0.1, 0.7],
};

/** How much more coefficients are held back from a sweep on that raised the objective. */
export const AFTER_A_RISE = 1.5;

/** What a code starts from. */
export interface LearningProblem {
  /** Y `[outFeatures, inFeatures]`. */
  readonly target: Matrix<Float32Array>;
  /** The leading right singular vectors of Y as rows, as many as there are atoms or more. */
  readonly directions: Matrix<Float32Array>;
}

/**
 * Unit atoms and coefficients for Y `[outFeatures, inFeatures]`, turn about: least squares for the atoms, a proximal step and a threshold for
 * the coefficients, `sweeps` times, then least squares once more. Half of the nonzeros are there at first; the others come
 * one sweep after the other, which finds better places than all at once. Once all are there, sweeps that gain too little end (see hasSettled).
 * With an accelerator all sweeps but the last run there, see sweepDictionary, unless every output has as many nonzeros.
 *
 * Objective: min ||Y - C D||_F with `nonzeroCount` nonzeros in all of C, wherever they help most. Float32, inverses float64. The objectives
 * given are those after each fit of the atoms.
 * Source: our own. Cost: a sweep takes 2 outFeatures atomCount (atomCount + inFeatures) + atomCount^2 (2 inFeatures + 3 atomCount)
 * multiply-adds, nearly all in products; five matrices like C.
 */
export async function learnDictionary(
  { target, directions }: LearningProblem,
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
  { placement, firstShare, overshoot, proximity }: LearningSettings = LEARNING,
): Promise<LearntCode> {
  const { rows, columns } = target;
  const energy = target.data.reduce((sum, value) => sum + value * value, 0);
  const atoms = { rows: atomCount, columns, data: directions.data.slice(0, atomCount * columns) };
  const coefficients = await gemm(target, atoms, { transposeB: true });
  const placeCount = rows * atomCount;
  const schedule = learningSchedule({ sweeps, nonzeroCount, placeCount, firstShare, proximity });
  const keep = (matrix: Matrix<Float32Array>, count: number): void => {
    if (placement === 'matrix') keepLargest(matrix.data, count);
    else keepLargestOfRows(matrix, count);
  };
  keep(coefficients, schedule.countAt(0));
  const plan = { ...schedule, overshoot, afterRise: AFTER_A_RISE, energy };
  const canBeSent = energy > 0 && placement === 'matrix';
  const sent = canBeSent ? await sweepDictionary({ y: target, coefficients, atoms }, plan) : null;
  let code: SparseCode<Float32Array> = sent ?? { coefficients, atoms };
  const objectives: number[] = [...(sent?.objectives ?? [])];
  const first = objectives.length;
  let heldBack = sent?.heldBack ?? 1;
  let isSettled = energy === 0;
  const scratch = [zeros(rows, atomCount), zeros(rows, atomCount)] as const;
  for (let sweep = first; energy > 0; sweep++) {
    const fitted = await fitAtoms(target, code);
    objectives.push(Math.max(0, 1 - fitted.explained / energy));
    if (objectives.at(-1)! > (objectives.at(-2) ?? 1)) heldBack *= AFTER_A_RISE;
    const isThresholdedHere = sent === null || sweep > first;
    isSettled = isThresholdedHere && schedule.hasSettled(objectives);
    if (sweep === sweeps || isSettled) {
      code = fitted;
      break;
    }
    const next = { coefficients: fitted.coefficients, atoms: atomsBeyond(code.atoms, fitted.atoms, overshoot) };
    const move = {
      proximity: heldBack * schedule.proximityAt(sweep),
      threshold: (moved: Matrix<Float32Array>): void => keep(moved, schedule.countAt(sweep + 1)),
      scratch,
    };
    code = { atoms: next.atoms, coefficients: await moveCoefficients(target, next, move) };
  }
  return {
    coefficients: toFloat64(code.coefficients),
    atoms: toFloat64(code.atoms),
    objectives: energy > 0 ? objectives : [0],
    stoppedBy: isSettled ? 'tolerance' : 'sweeps',
  };
}

function zeros(rows: number, columns: number): Matrix<Float32Array> {
  return { rows, columns, data: new Float32Array(rows * columns) };
}
