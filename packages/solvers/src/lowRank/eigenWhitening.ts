import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';
import { scaleColumns, type Whitening } from './inputMetric.ts';

/**
 * S = Q^T diag(sqrt(lambda)), with G = Q^T diag(lambda) Q and the eigenvectors in the rows of Q. Singular Grams need no shift:
 * eigenvalues that are 0 or negative by rounding count as n 2^-52 times the largest, as if those inputs were hardly active.
 *
 * Source: SVD-LLM V2, arXiv:2503.12340, "loss-optimized weight truncation". Cost: one eigen decomposition of the Gram; two of its size.
 */
export async function eigenWhitening(gram: Matrix<Float64Array>): Promise<Whitening> {
  const { values, vectors } = await symmetricEigen(gram);
  const floor = gram.rows * 2 ** -52 * values[0]!;
  const roots = values.map(value => Math.sqrt(Math.max(value, floor)));
  const inverses = roots.map(root => 1 / root);
  return {
    apply: async rows => scaleColumns(await gemm(rows, vectors, { transposeB: true }), roots),
    undo: rows => gemm(scaleColumns(rows, inverses), vectors),
  };
}
