import { gemm, type Matrix, zerosLike } from '@quern/linalg';

/**
 * sum_i C_i R_i C_i^T `[atomCount, atomCount]`: what coefficients of several sites are to each other in the metrics of their inputs.
 *
 * Cost: for each site atomCount inFeatures (inFeatures + atomCount) multiply-adds.
 */
export async function coefficientGram<Data extends Float32Array | Float64Array>(
  segments: readonly { readonly correlations: Matrix<Data> }[],
  parts: readonly Matrix<Data>[],
): Promise<Matrix<Data>> {
  const { rows: count, data } = parts[0]!;
  const gram = { rows: count, columns: count, data: zerosLike(data, count ** 2) };
  for (const [index, { correlations }] of segments.entries()) {
    const own = parts[index]!;
    await gemm(await gemm(own, correlations), own, { transposeB: true, beta: 1, output: gram });
  }
  return gram;
}
