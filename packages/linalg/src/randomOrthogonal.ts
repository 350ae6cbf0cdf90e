import { hadamard } from './hadamard.ts';
import type { Matrix } from './matrix.ts';
import { qr } from './qr.ts';

/**
 * A random orthogonal matrix that spreads every direction over all others: a Hadamard matrix with random signs of its rows, over
 * sqrt(n); where there is none of this order, the Q factor of a Gaussian matrix, which is uniform over all rotations.
 *
 * `uniform` gives numbers in [0, 1) and decides everything. Errors: RangeError for no order.
 * Cost: n^2 values; a QR factorisation where no Hadamard matrix is known.
 */
export async function randomOrthogonal(order: number, uniform: () => number): Promise<Matrix<Float64Array>> {
  const signed = hadamard(order);
  if (signed) {
    const scale = 1 / Math.sqrt(order);
    for (let row = 0; row < order; row++) {
      const factor = uniform() < 0.5 ? -scale : scale;
      for (let at = row * order; at < (row + 1) * order; at++) signed.data[at]! *= factor;
    }
    return signed;
  }
  // Box and Muller.
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const data = Float64Array.from({ length: order * order }, normal);
  return (await qr({ rows: order, columns: order, data })).q;
}
