import { gemm, type Matrix } from '@quern/linalg';
import type { Whitening } from '../lowRank/inputMetric.ts';
import type { DictionarySize } from './dictionarySize.ts';
import { fitAtoms } from './fitAtoms.ts';
import { keepLargest } from './keepLargest.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { leadingDirections } from './leadingDirections.ts';
import type { LearntCode } from './learntCode.ts';
import { normalEquations } from './normalEquations.ts';
import { remainder } from './remainder.ts';

/** Nonzeros that are placed where they matter most in the whole matrix, not output by output. */
const PLACED_GLOBALLY = 0.005;

/** Relative to the mean of the diagonal. */
const RIDGE = 1e-3;

/**
 * Unit atoms and coefficients for Y `[outFeatures, inFeatures]` in one pass: coordinates along the leading right singular vectors, of
 * which the most important stay, then atoms by ridge regression.
 *
 * Importance of a coefficient: its magnitude times the root of its atom's norm without whitening. As many stay for every output, but for half
 * a percent that go wherever they matter most. Source: ROCKET, arXiv:2602.11008.
 * The objectives are those of the coordinates that stay and of the fit: one pass, no sweeps.
 * Cost: an eigenproblem of inFeatures, 3 outFeatures inFeatures atomCount + 2 outFeatures atomCount^2 multiply-adds and an inverse.
 */
export async function learnByImportance(
  target: Matrix<Float64Array>,
  { atomCount, nonzeroCount }: DictionarySize,
  whitening: Whitening,
): Promise<LearntCode> {
  const energy = sumOfSquares(target.data);
  const directions = await leadingDirections(target, atomCount);
  const coordinates = await gemm(target, directions, { transposeB: true });
  if (energy === 0) return { coefficients: coordinates, atoms: directions, objectives: [0], stoppedBy: 'tolerance' };
  const weights = rootsOfNorms(await whitening.undo(directions));
  const importance = {
    ...coordinates,
    data: coordinates.data.map((value, index) => value * weights[index % atomCount]!),
  };
  const stays = chooseSupport(importance, nonzeroCount);
  const coefficients = {
    ...coordinates,
    data: coordinates.data.map((value, index) => (stays[index] === 1 ? value : 0)),
  };
  const code = await fitAtoms(target, { coefficients, atoms: directions }, RIDGE);
  const left = await remainder(code.coefficients, await normalEquations(target, code.atoms), energy);
  // The directions are orthonormal: what stays is what is explained.
  const kept = 1 - sumOfSquares(coefficients.data) / energy;
  return { ...code, objectives: [kept, left], stoppedBy: 'sweeps' };
}

/** 1 where a coefficient stays. */
function chooseSupport(importance: Matrix<Float64Array>, nonzeroCount: number): Uint8Array {
  const byOutput = { ...importance, data: importance.data.slice() };
  const globalCount = Math.floor(PLACED_GLOBALLY * nonzeroCount);
  keepLargestOfRows(byOutput, nonzeroCount - globalCount);
  const others = importance.data.map((value, index) => (byOutput.data[index] === 0 ? value : 0));
  keepLargest(others, globalCount);
  return Uint8Array.from(others, (value, index) => Number(value !== 0 || byOutput.data[index] !== 0));
}

function rootsOfNorms({ rows, columns, data }: Matrix<Float64Array>): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    const values = data.subarray(row * columns, (row + 1) * columns);
    return sumOfSquares(values) ** 0.25;
  });
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
