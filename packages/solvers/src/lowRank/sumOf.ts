import type { Matrix } from '@quern/linalg';

/** The sum of one or more matrices of one shape. */
export function sumOf(matrices: readonly Matrix<Float64Array>[]): Matrix<Float64Array> {
  const { rows, columns, data } = matrices[0]!;
  const sum = data.slice();
  for (const { data } of matrices.slice(1))
    for (let index = 0; index < sum.length; index++) sum[index]! += data[index]!;
  return { rows, columns, data: sum };
}
