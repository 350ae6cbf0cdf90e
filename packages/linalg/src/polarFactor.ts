import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';
import { svd } from './svd.ts';

/**
 * The nearest matrix, by the sum of squared differences, with orthonormal columns (m >= n) or orthonormal rows (m < n): left
 * right of the singular value decomposition. It maximises tr(U^T A), which solves the orthogonal Procrustes problem.
 *
 * Where A has dependent columns the nearest one is not unique; the result is one of them, orthonormal all the same. In float64 by
 * largest values |U^T U - I| <= 1e-13; float32 adds its rounding. The input stays as it is. The same bytes for any number
 * of threads.
 * Source: Higham, Functions of Matrices, theorem 8.4. Through `svd` rather than QDWH (Nakatsukasa and Higham 2013): that takes
 * about six iterations of 2 n^3 multiply-adds or more, this about the work of three.
 * Errors: RangeError for NaN and infinity; an Error when eigenvalues do not converge. Cost: `svd` and m n k multiply-adds more.
 */
export async function polarFactor<Data extends Float32Array | Float64Array>(
  matrix: Matrix<Data>,
): Promise<Matrix<Data>> {
  const { left, right } = await svd(matrix);
  return gemm(left, right);
}
