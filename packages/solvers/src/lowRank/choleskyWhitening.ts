import { gemm, type Matrix, solveTriangular } from '@quern/linalg';
import type { Whitening } from './inputMetric.ts';
import { shiftedCholesky } from './shiftedCholesky.ts';

/**
 * S = L, the lower Cholesky factor of the Gram `[inFeatures, inFeatures]`, in float64; of a shifted one where that is singular
 * (see shiftedCholesky).
 *
 * Source: SVD-LLM, arXiv:2403.07378, "truncation-aware data whitening".
 */
export async function choleskyWhitening(gram: Matrix<Float64Array>): Promise<Whitening> {
  const lower = await shiftedCholesky(gram);
  return {
    apply: rows => gemm(rows, lower),
    undo: rows => solveTriangular(lower, rows, { triangle: 'lower', side: 'right' }),
  };
}
