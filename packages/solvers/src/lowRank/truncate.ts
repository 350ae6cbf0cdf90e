import { gemm, type Matrix, symmetricEigen, transpose } from '@quern/linalg';
import type { FactorPair } from './balanceFactors.ts';
import type { InputMetric } from './inputMetric.ts';

/** The factors of a truncated weight: columns of `left` are orthogonal. */
export interface Truncation extends FactorPair {
  /** All min(outFeatures, inFeatures) singular values of W S, descending. Those below 1e-8 of the first are noise. */
  readonly singularValues: Float64Array;
}

/**
 * The best approximation of a weight by rank `rank` under a metric: argmin ||(W - left right) S||_F with S S^T = G. The squared
 * error is the sum of the squared singular values of W S from `rank` on.
 *
 * With W S = U diag(sigma) V^T, truncated and unwhitened, it is U U^T W: on the side of the outputs the eigenvectors of W G W^T
 * are all that is needed, neither S nor its inverse. On the side of the inputs, where that is the smaller one, the eigenvectors
 * V of S^T W^T W S give left = W S V, right = V^T S^-1.
 * Source: Eckart and Young for the whitened weight; SVD-LLM, arXiv:2403.07378. Differs from it: one
 * eigen decomposition of the smaller side in place of an SVD.
 * Cost: outFeatures inFeatures (inFeatures + min(outFeatures, inFeatures)) multiply-adds and the decomposition, all in float64.
 */
export async function truncate(weight: Matrix<Float64Array>, metric: InputMetric, rank: number): Promise<Truncation> {
  if (weight.rows <= weight.columns) {
    const outputGram = await gemm(await metric.timesGram(weight), weight, { transposeB: true });
    const { values, vectors } = await symmetricEigen(outputGram);
    const basis = firstRows(vectors, rank);
    return { left: transpose(basis), right: await gemm(basis, weight), singularValues: rootsOf(values) };
  }
  const { apply, undo } = await metric.whitening();
  const whitened = await apply(weight);
  const { values, vectors } = await symmetricEigen(await gemm(whitened, whitened, { transposeA: true }));
  const basis = firstRows(vectors, rank);
  const left = await gemm(whitened, basis, { transposeB: true });
  return { left, right: await undo(basis), singularValues: rootsOf(values) };
}

/** Rounding leaves eigenvalues of 0 slightly negative. */
function rootsOf(values: Float64Array): Float64Array {
  return values.map(value => Math.sqrt(Math.max(0, value)));
}

function firstRows({ columns, data }: Matrix<Float64Array>, count: number): Matrix<Float64Array> {
  return { rows: count, columns, data: data.slice(0, count * columns) };
}
