import { householderQr } from './factorization/householderQr.ts';
import { inPrecisionOf } from './factorization/inPrecisionOf.ts';
import { scaledCopy } from './factorization/scaledCopy.ts';
import type { Matrix } from './matrix.ts';

export interface ThinQr<Data extends Float32Array | Float64Array> {
  /** `[m, n]`, orthonormal columns. */
  readonly q: Matrix<Data>;
  /** `[n, n]`, upper triangular, its diagonal not negative. */
  readonly r: Matrix<Data>;
}

/**
 * A = Q R with orthonormal columns in Q, for A `[m, n]` with m >= n; also where A has dependent columns or is zero.
 *
 * Computed in float64 and rounded to the precision of the input, which stays as it is. In float64
 * |A - Q R| <= 20 eps |A| and |Q^T Q - I| <= 100 eps, by largest values; float32 adds its rounding. The same bytes
 * for any number of threads.
 * Source: blocked Householder reflections, Golub and Van Loan, section 5.2; LAPACK's geqrf and orgqr.
 * Errors: RangeError for m < n, NaN and infinity. Cost: 2 m n^2 - 2 n^3 / 3 multiply-adds; scratch four copies of A in float64.
 */
export async function qr<Data extends Float32Array | Float64Array>(matrix: Matrix<Data>): Promise<ThinQr<Data>> {
  const { rows, columns } = matrix;
  if (rows < columns) throw new RangeError(`qr: ${rows} x ${columns} has fewer rows than columns`);
  const { scaled, unit } = scaledCopy(matrix, 'qr');
  const { q, r } = await householderQr(scaled);
  for (let index = 0; index < r.data.length; index++) r.data[index]! *= unit;
  return { q: inPrecisionOf(matrix, q), r: inPrecisionOf(matrix, r) };
}
