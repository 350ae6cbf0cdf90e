import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import type { LearningSegment } from './outputProblem.ts';
import type { SideBySide } from './sideBySide.ts';

/** Of the whole way to the proximal point, as in moveCoefficients. */
const STEP = 2;

interface OutputMove {
  readonly segments: readonly Pick<LearningSegment, 'pull' | 'directions' | 'spectrum'>[];
  /** p below, relative to the curvature along one coefficient, which is 1. */
  readonly proximity: number;
}

/**
 * Writes new coefficients for given atoms over outputs: from the old ones C_i twice the way to the proximal point argmin over B of
 * tr((Y_i - A^T B) R_i (Y_i - A^T B)^T) + p ||B - C_i||_F^2.
 *
 * A A^T B R + p B = A Y R + p C is a Sylvester equation; in the eigenvectors of A A^T and of R it is one division a value.
 * Cost: an eigenproblem of atomCount and for each site 2 atomCount inFeatures (inFeatures + atomCount) + atomCount inFeatures outFeatures
 * multiply-adds.
 */
export async function moveOutputCoefficients(
  { atoms, coefficients }: { readonly atoms: Matrix<Float32Array>; readonly coefficients: SideBySide<Float32Array> },
  { segments, proximity }: OutputMove,
  moved: SideBySide<Float32Array>,
): Promise<void> {
  const rows = atoms.rows;
  const gram = await gemm(atoms, atoms, { transposeB: true });
  const { values, vectors } = await symmetricEigen({ ...gram, data: Float64Array.from(gram.data) });
  const turn = { rows, columns: rows, data: new Float32Array(vectors.data) };
  for (const [index, { pull, directions, spectrum }] of segments.entries()) {
    const { columns, data: old } = coefficients.parts[index]!;
    const sum = await gemm(atoms, pull);
    for (let at = 0; at < old.length; at++) sum.data[at]! += proximity * old[at]!;
    const turned = await gemm(await gemm(turn, sum), directions, { transposeB: true });
    for (let row = 0, at = 0; row < rows; row++) {
      const curvature = Math.max(0, values[row]!);
      for (let column = 0; column < columns; column++, at++) {
        turned.data[at]! /= curvature * Math.max(0, spectrum[column]!) + proximity;
      }
    }
    const output = moved.parts[index]!;
    await gemm(await gemm(turn, turned, { transposeA: true }), directions, { output });
    for (let at = 0; at < old.length; at++) output.data[at] = old[at]! + STEP * (output.data[at]! - old[at]!);
  }
}
