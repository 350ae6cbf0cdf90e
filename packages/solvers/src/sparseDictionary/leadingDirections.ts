import { gemm, type Matrix, symmetricEigen } from '@quern/linalg';

/** The `count` leading right singular vectors of `target` `[outFeatures, inFeatures]` as rows, count at most inFeatures. Cost: a Gram of inputs and its eigenvectors. */
export async function leadingDirections(target: Matrix<Float64Array>, count: number): Promise<Matrix<Float64Array>> {
  const { vectors } = await symmetricEigen(await gemm(target, target, { transposeA: true }));
  return { rows: count, columns: target.columns, data: vectors.data.slice(0, count * target.columns) };
}
