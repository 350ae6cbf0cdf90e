import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';

/**
 * H += X^T X in place, in the precision of both.
 *
 * `gram` `[inFeatures, inFeatures]`, `activations` `[tokenCount, inFeatures]`.
 * Cost: tokenCount inFeatures^2 multiply-adds, no scratch.
 */
export async function addGram<Data extends Float32Array | Float64Array>(
  gram: Matrix<Data>,
  activations: Matrix<Data>,
): Promise<void> {
  await gemm(activations, activations, { transposeA: true, beta: 1, output: gram });
}
