import { gemm, type Matrix } from '@quern/linalg';
import { atomsBeyond } from './atomsBeyond.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { hasSettled } from './hasSettled.ts';
import { keepLargest } from './keepLargest.ts';
import { AFTER_A_RISE, LEARNING } from './learnDictionary.ts';
import type { LearntCode } from './learntCode.ts';
import { moveOutputCoefficients } from './moveOutputCoefficients.ts';
import type { OutputLearning } from './outputProblem.ts';
import { growingSweeps, shareAfter } from './shareAfter.ts';
import { shiftedInverse } from './shiftedInverse.ts';

/** Of the mean of the diagonal of C R C^T. */
const RIDGE = 1e-6;

/**
 * Unit atoms over the outputs of Y `[outFeatures, inFeatures]` and coefficients over its inputs, Y = A^T C, turn about: least squares for the
 * atoms, a proximal step and a threshold for the coefficients, with the settings of learnDictionary and stopped like it.
 *
 * Objective: min tr((Y - A^T C) R (Y - A^T C)^T) with `nonzeroCount` nonzeros in all of C, wherever they help most. Where a weight has fewer
 * outputs than inputs such atoms are the shorter ones. Float32, inverses and eigenproblems float64.
 * Atoms `[atomCount, outFeatures]`, at most outFeatures of them; coefficients `[atomCount, inFeatures]`.
 * Source: our own. Cost: a sweep takes 4 atomCount inFeatures^2 + 2 atomCount inFeatures (atomCount + outFeatures) multiply-adds, and an
 * eigenproblem and an inverse of atomCount.
 */
export async function learnOutputAtoms(
  { target, correlations, pull, energy, directions, spectrum, outputs }: OutputLearning,
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
): Promise<LearntCode> {
  const { rows: length, columns: inputs } = target;
  const { overshoot, proximity } = LEARNING;
  const [nearest, farthest] = proximity;
  const countAt = (sweep: number): number =>
    Math.min(atomCount * inputs, Math.round(shareAfter(sweep, sweeps, LEARNING.firstShare) * nonzeroCount));
  let atoms: Matrix<Float32Array> = {
    rows: atomCount,
    columns: length,
    data: outputs.data.slice(0, atomCount * length),
  };
  let coefficients = await gemm(atoms, target);
  keepLargest(coefficients.data, countAt(0));
  const objectives: number[] = [];
  let heldBack = 1;
  let isSettled = energy === 0;
  for (let sweep = 0; energy > 0; sweep++) {
    const fitted = await fitOutputAtoms({ atoms, coefficients }, { correlations, pull });
    objectives.push(Math.max(0, 1 - fitted.explained / energy));
    if (objectives.at(-1)! > (objectives.at(-2) ?? 1)) heldBack *= AFTER_A_RISE;
    isSettled = hasSettled(objectives, growingSweeps(sweeps));
    if (sweep === sweeps || isSettled) {
      ({ atoms, coefficients } = fitted);
      break;
    }
    const next = atomsBeyond(atoms, fitted.atoms, overshoot);
    const moved = await moveOutputCoefficients(
      { atoms: next, coefficients: fitted.coefficients },
      { pull, directions, spectrum, proximity: heldBack * nearest * (farthest / nearest) ** (sweep / sweeps) },
    );
    keepLargest(moved.data, countAt(sweep + 1));
    [atoms, coefficients] = [next, moved];
  }
  return {
    atoms: wide(atoms),
    coefficients: wide(coefficients),
    objectives: energy > 0 ? objectives : [0],
    stoppedBy: isSettled ? 'tolerance' : 'sweeps',
  };
}

interface OutputCode {
  readonly atoms: Matrix<Float32Array>;
  readonly coefficients: Matrix<Float32Array>;
}

/** The atoms that fit given coefficients, of norm 1: the norms go to the coefficients. Atoms that no input uses stay as they were. */
async function fitOutputAtoms(
  { atoms, coefficients }: OutputCode,
  { correlations, pull }: Pick<OutputLearning, 'correlations' | 'pull'>,
): Promise<OutputCode & { readonly explained: number }> {
  const gram = await gemm(await gemm(coefficients, correlations), coefficients, { transposeB: true });
  const products = await gemm(coefficients, pull, { transposeB: true });
  const { rows: count, columns: length } = atoms;
  let trace = 0;
  for (let atom = 0; atom < count; atom++) trace += gram.data[atom * (count + 1)]!;
  if (!(trace > 0)) return { atoms, coefficients, explained: 0 };
  const fitted = await gemm(await shiftedInverse(gram, (RIDGE * trace) / count), products);
  const scaled = coefficients.data.slice();
  let explained = 0;
  for (let atom = 0; atom < count; atom++) {
    const values = fitted.data.subarray(atom * length, (atom + 1) * length);
    let square = 0;
    for (let index = 0; index < length; index++) {
      square += values[index]! ** 2;
      explained += values[index]! * products.data[atom * length + index]!;
    }
    const isUnused = gram.data[atom * (count + 1)] === 0 || square === 0;
    if (isUnused) values.set(atoms.data.subarray(atom * length, (atom + 1) * length));
    const norm = isUnused ? 1 : Math.sqrt(square);
    if (!isUnused) for (let index = 0; index < length; index++) values[index]! /= norm;
    const end = (atom + 1) * coefficients.columns;
    for (let index = atom * coefficients.columns; index < end; index++) scaled[index]! *= norm;
  }
  return { atoms: fitted, coefficients: { ...coefficients, data: scaled }, explained };
}

function wide({ rows, columns, data }: Matrix<Float32Array>): Matrix<Float64Array> {
  return { rows, columns, data: new Float64Array(data) };
}
