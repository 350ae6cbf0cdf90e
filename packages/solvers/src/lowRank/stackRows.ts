import type { Matrix } from '@quern/linalg';

/** [W_1; W_2; ...] in float64, of weights of one shape. */
export function stackRows(weights: readonly Matrix[]): Matrix<Float64Array> {
  const { rows, columns } = weights[0]!;
  const data = new Float64Array(weights.length * rows * columns);
  for (const [index, weight] of weights.entries()) data.set(weight.data, index * rows * columns);
  return { rows: weights.length * rows, columns, data };
}
