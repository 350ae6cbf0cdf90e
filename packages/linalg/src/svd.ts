import { householderQr } from './factorization/householderQr.ts';
import { inPrecisionOf } from './factorization/inPrecisionOf.ts';
import { scaledCopy } from './factorization/scaledCopy.ts';
import { squareSvd } from './factorization/squareSvd.ts';
import { gemm } from './gemm.ts';
import type { Matrix } from './matrix.ts';
import { transpose } from './transpose.ts';

/** A = left diag(values) right. */
export interface Svd<Data extends Float32Array | Float64Array> {
  /** `[m, k]`, orthonormal columns; k = min(m, n). */
  readonly left: Matrix<Data>;
  /** Singular values, descending. */
  readonly values: Float64Array;
  /** `[k, n]`, orthonormal rows. */
  readonly right: Matrix<Data>;
}

/**
 * The thin singular value decomposition of a matrix `[m, n]`; all k = min(m, n) vectors are orthonormal, also where the rank is
 * smaller.
 *
 * Computed in float64, whatever the precision of the input, which stays as it is; float32 vectors are rounded at the end. With |A|
 * the largest singular value, values are off by at most 1e-14 |A|, and by largest values |A - left diag right| <= 1e-14 |A| and
 * |V^T V - I| <= 1e-13 for either side. The same bytes for any number of threads.
 * Source: QR first where A is not square; then squareSvd, eigenvectors of a Gram matrix made safe by QR.
 * Errors: RangeError for NaN and infinity; an Error when eigenvalues do not converge.
 * Cost: with M = max(m, n), about 3 M k^2 + 6 k^3 multiply-adds, of the last part up to three times as much where singular values
 * spread over 12 decades; scratch four copies of A and seven of k^2 doubles.
 */
export async function svd<Data extends Float32Array | Float64Array>(matrix: Matrix<Data>): Promise<Svd<Data>> {
  const { scaled, unit } = scaledCopy(matrix, 'svd');
  const isWide = matrix.rows < matrix.columns;
  const tall = isWide ? transpose(scaled) : scaled;
  const outer = tall.rows > tall.columns ? await householderQr(tall) : null;
  const found = await squareSvd(outer?.r ?? tall);
  const order = Array.from(found.values.keys()).sort((first, second) => found.values[second]! - found.values[first]!);
  const rows = pickRows(found.left, order); // [k, k]
  const left = outer ? await gemm(outer.q, rows, { transposeB: true }) : transpose(rows);
  const right = pickRows(found.right, order);
  const values = Float64Array.from(order, index => found.values[index]! * unit);
  if (isWide) {
    return { left: inPrecisionOf(matrix, transpose(right)), values, right: inPrecisionOf(matrix, transpose(left)) };
  }
  return { left: inPrecisionOf(matrix, left), values, right: inPrecisionOf(matrix, right) };
}

function pickRows({ columns, data }: Matrix<Float64Array>, order: readonly number[]): Matrix<Float64Array> {
  const picked = new Float64Array(order.length * columns);
  order.forEach((row, place) => {
    picked.set(data.subarray(row * columns, (row + 1) * columns), place * columns);
  });
  return { rows: order.length, columns, data: picked };
}
