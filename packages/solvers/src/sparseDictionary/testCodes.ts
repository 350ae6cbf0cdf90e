import { gemm, type Matrix } from '@quern/linalg';
import { randomWeight } from '../testData.ts';

/** Noise in float64. */
export function wide(rows: number, columns: number, seed: number): Matrix<Float64Array> {
  const { data } = randomWeight(rows, columns, seed);
  return { rows, columns, data: Float64Array.from(data) };
}

/** ||Y - C D||_F^2. */
export async function squaredDistance(
  target: Matrix<Float64Array>,
  coefficients: Matrix<Float64Array>,
  atoms: Matrix<Float64Array>,
): Promise<number> {
  const product = await gemm(coefficients, atoms);
  return target.data.reduce((sum, value, index) => sum + (value - product.data[index]!) ** 2, 0);
}
