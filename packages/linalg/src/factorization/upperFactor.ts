import { factorUpper } from './factorUpper.ts';

/**
 * The upper Cholesky factor of the symmetric n x n matrix in `a`, in place with exact zeros below the diagonal.
 * Returns -1, or the first row whose pivot is not a positive finite number.
 */
export async function upperFactor(a: Float64Array, n: number): Promise<number> {
  const pivot = await factorUpper(a, n);
  if (pivot >= 0) return pivot;
  for (let row = 0; row < n; row++) {
    // A library may let NaN pass.
    if (!Number.isFinite(a[row * n + row]!)) return row;
    a.fill(0, row * n, row * n + row);
  }
  return -1;
}
