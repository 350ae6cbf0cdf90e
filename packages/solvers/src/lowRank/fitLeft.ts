import { type Factor, reconstruct } from '@quern/core';
import { gemm, type Matrix, solveTriangular } from '@quern/linalg';
import { diagonalSum } from './diagonalSum.ts';
import { shiftedCholesky } from './shiftedCholesky.ts';
import type { FactorProblem } from './storeFactors.ts';

export interface FittedLeft {
  /** `[outFeatures, rank]`. */
  readonly left: Matrix<Float64Array>;
  /** The Gram of the right factor's outputs, right G right^T, `[rank, rank]`. */
  readonly outputGram: Matrix<Float64Array>;
}

/**
 * The best left factor for a given right one: argmin over left of tr((W - left right) G (W - left right)^T), that is
 * left = W G right^T (right G right^T)^-1; with a slight shift where rows of the right factor depend on each other.
 *
 * Cost: rank inFeatures (inFeatures + outFeatures) multiply-adds in float64; 8 bytes for each of (rank + outFeatures) x rank.
 */
export async function fitLeft({ weight, gram }: FactorProblem, stored: Factor): Promise<FittedLeft> {
  const { rows, columns, data } = await reconstruct(stored);
  const right = { rows, columns, data: Float64Array.from(data) };
  const weighted = gram ? await gemm(right, gram) : right;
  const outputGram = mirrored(await gemm(weighted, right, { transposeB: true }));
  const target = await gemm(weight, weighted, { transposeB: true });
  // A right factor of zeros: any left one fits.
  if (diagonalSum(outputGram) === 0) return { left: target, outputGram };
  const lower = await shiftedCholesky(outputGram);
  const half = await solveTriangular(lower, target, { triangle: 'lower', transposed: true, side: 'right' });
  return { left: await solveTriangular(lower, half, { triangle: 'lower', side: 'right' }), outputGram };
}

/** Symmetric to the last bit: the lower triangle from the upper one. */
function mirrored({ rows, columns, data }: Matrix<Float64Array>): Matrix<Float64Array> {
  const result = data.slice();
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < row; column++) result[row * columns + column] = result[column * columns + row]!;
  }
  return { rows, columns, data: result };
}
