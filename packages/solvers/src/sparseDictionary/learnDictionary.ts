import { gemm, type Matrix } from '@quern/linalg';
import type { DictionarySize } from './dictionarySize.ts';
import { fitAtoms } from './fitAtoms.ts';
import { hasSettled } from './hasSettled.ts';
import { keepLargest } from './keepLargest.ts';
import type { LearntCode } from './learntCode.ts';
import { moveCoefficients } from './moveCoefficients.ts';
import type { SparseCode } from './sparseCode.ts';

/** Of the nonzeros at the start, and of the sweeps after which all are there. */
const FIRST_SHARE = 0.5;
const GROWING_SHARE = 0.8;

/** Of the way that least squares moves an atom, gone once more: fewer sweeps reach the same. */
const OVERSHOOT = 0.9;

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
 *
 * Objective: min ||Y - C D||_F with `nonzeroCount` nonzeros in all of C, wherever they help most. Float32, inverses float64. The objectives
 * given are those after each fit of the atoms.
 * Source: our own. Cost: a sweep takes 2 outFeatures atomCount (atomCount + inFeatures) + 3 atomCount^2 (inFeatures + atomCount)
 * multiply-adds, nearly all in products; five matrices like C.
 */
export async function learnDictionary(
  { target, directions }: LearningProblem,
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
): Promise<LearntCode> {
  const { rows, columns } = target;
  const energy = target.data.reduce((sum, value) => sum + value * value, 0);
  const atoms = { rows: atomCount, columns, data: directions.data.slice(0, atomCount * columns) };
  const coefficients = await gemm(target, atoms, { transposeB: true });
  const growingSweeps = Math.max(1, GROWING_SHARE * sweeps);
  const countAt = (sweep: number): number => {
    const share = Math.min(1, FIRST_SHARE + ((1 - FIRST_SHARE) * sweep) / growingSweeps);
    return Math.min(rows * atomCount, Math.round(share * nonzeroCount));
  };
  keepLargest(coefficients.data, countAt(0));
  let code: SparseCode<Float32Array> = { coefficients, atoms };
  const objectives: number[] = [];
  let isSettled = energy === 0;
  for (let sweep = 0; energy > 0; sweep++) {
    const fitted = await fitAtoms(target, code);
    objectives.push(Math.max(0, 1 - fitted.explained / energy));
    isSettled = hasSettled(objectives, growingSweeps);
    if (sweep === sweeps || isSettled) {
      code = fitted;
      break;
    }
    const next = { coefficients: fitted.coefficients, atoms: overshoot(code.atoms, fitted.atoms) };
    code = { atoms: next.atoms, coefficients: await moveCoefficients(target, next, countAt(sweep + 1)) };
  }
  return {
    coefficients: toWide(code.coefficients),
    atoms: toWide(code.atoms),
    objectives: energy > 0 ? objectives : [0],
    stoppedBy: isSettled ? 'tolerance' : 'sweeps',
  };
}

/** Atoms beyond the new ones on the way from the old, of norm 1. The sign of an atom may have turned. */
function overshoot(old: Matrix<Float32Array>, fitted: Matrix<Float32Array>): Matrix<Float32Array> {
  const { rows, columns } = fitted;
  const data = new Float32Array(rows * columns);
  for (let start = 0; start < data.length; start += columns) {
    let overlap = 0;
    for (let index = start; index < start + columns; index++) overlap += old.data[index]! * fitted.data[index]!;
    const sign = overlap < 0 ? -1 : 1;
    let square = 0;
    for (let index = start; index < start + columns; index++) {
      const value = fitted.data[index]! + OVERSHOOT * (fitted.data[index]! - sign * old.data[index]!);
      data[index] = value;
      square += value * value;
    }
    const norm = Math.sqrt(square);
    if (norm > 0) for (let index = start; index < start + columns; index++) data[index]! /= norm;
  }
  return { rows, columns, data };
}

function toWide({ rows, columns, data }: Matrix<Float32Array>): Matrix<Float64Array> {
  return { rows, columns, data: Float64Array.from(data) };
}
