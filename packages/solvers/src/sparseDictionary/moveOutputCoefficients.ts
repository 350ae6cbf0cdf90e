import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import type { OutputLearning } from './outputProblem.ts';

/** Of the whole way to the proximal point, as in moveCoefficients. */
const STEP = 2;

interface OutputMove extends Pick<OutputLearning, 'pull' | 'directions' | 'spectrum'> {
  /** p below, relative to the curvature along one coefficient, which is 1. */
  readonly proximity: number;
}

/**
 * New coefficients for given atoms over outputs: from the old ones C twice the way to the proximal point argmin over B of
 * tr((Y - A^T B) R (Y - A^T B)^T) + p ||B - C||_F^2.
 *
 * A A^T B R + p B = A Y R + p C is a Sylvester equation; in the eigenvectors of A A^T and of R it is one division a value.
 * Cost: an eigenproblem of atomCount and 2 atomCount inFeatures (inFeatures + atomCount) + atomCount inFeatures outFeatures multiply-adds.
 */
export async function moveOutputCoefficients(
  { atoms, coefficients }: { readonly atoms: Matrix<Float32Array>; readonly coefficients: Matrix<Float32Array> },
  { pull, directions, spectrum, proximity }: OutputMove,
): Promise<Matrix<Float32Array>> {
  const { rows, columns, data: old } = coefficients;
  const gram = await gemm(atoms, atoms, { transposeB: true });
  const { values, vectors } = await symmetricEigen({ rows, columns: rows, data: Float64Array.from(gram.data) });
  const turn = { rows, columns: rows, data: new Float32Array(vectors.data) };
  const sum = await gemm(atoms, pull);
  for (let index = 0; index < old.length; index++) sum.data[index]! += proximity * old[index]!;
  const turned = await gemm(await gemm(turn, sum), directions, { transposeB: true });
  for (let row = 0, index = 0; row < rows; row++) {
    const curvature = Math.max(0, values[row]!);
    for (let column = 0; column < columns; column++, index++) {
      turned.data[index]! /= curvature * Math.max(0, spectrum[column]!) + proximity;
    }
  }
  const result = await gemm(await gemm(turn, turned, { transposeA: true }), directions);
  for (let index = 0; index < old.length; index++) {
    result.data[index] = old[index]! + STEP * (result.data[index]! - old[index]!);
  }
  return result;
}
