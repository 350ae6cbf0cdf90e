import { gemm, type Matrix, polarFactor, sparseProcrustes } from '@quern/linalg';
import type { DictionarySize } from './dictionarySize.ts';
import { hasSettled } from './hasSettled.ts';
import { keepLargestOfRows } from './keepLargestOfRows.ts';
import { leadingDirections } from './leadingDirections.ts';
import type { LearntCode } from './learntCode.ts';

/**
 * Orthonormal atoms and coefficients for Y `[outFeatures, inFeatures]`, turn about, each the exact optimum for the other.
 *
 * Objective: min ||Y - C D||_F, D D^T = I, as many nonzeros in every row of C. Coefficients: the largest of Y D^T. Atoms: the polar
 * factor of C^T Y (orthogonal Procrustes). Starts from the leading right singular vectors.
 * The objectives never rise, but for rounding where sweeps ran in float32; `sweeps` of them, or fewer once they gain too little (see hasSettled).
 * With an accelerator all sweeps but the last run there, in float32, and keep as many values in every row.
 * Source: COMPOT, arXiv:2602.15200. Cost: a sweep takes 2 outFeatures inFeatures atomCount multiply-adds and a polar factor.
 */
export async function learnOrthonormal(
  target: Matrix<Float64Array>,
  { atomCount, nonzeroCount }: DictionarySize,
  sweeps: number,
): Promise<LearntCode> {
  let atoms = await leadingDirections(target, atomCount);
  const energy = sumOfSquares(target.data);
  const objectives: number[] = [];
  // The last sweep is always done here, in float64: its atoms are orthonormal to rounding.
  const keptPerRow = Math.min(atomCount, Math.floor(nonzeroCount / target.rows));
  const sent = energy > 0 ? await sparseProcrustes(target, atoms, { keptPerRow, sweeps: sweeps - 1 }) : null;
  if (sent) {
    atoms = sent.atoms;
    objectives.push(...sent.explained.map(explained => 1 - explained / energy));
  }
  for (let sweep = objectives.length; ; sweep++) {
    const coefficients = await gemm(target, atoms, { transposeB: true });
    keepLargestOfRows(coefficients, nonzeroCount);
    objectives.push(energy === 0 ? 0 : 1 - sumOfSquares(coefficients.data) / energy);
    if (hasSettled(objectives)) return { coefficients, atoms, objectives, stoppedBy: 'tolerance' };
    if (sweep === sweeps) return { coefficients, atoms, objectives, stoppedBy: 'sweeps' };
    atoms = await polarFactor(await gemm(coefficients, target, { transposeA: true }));
  }
}

function sumOfSquares(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
