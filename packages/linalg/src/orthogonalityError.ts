import type { Matrix } from './matrix.ts';
import { plainProduct, plainTranspose } from './plainLoops.ts';

/** Largest |M M^T - I| for orthonormal rows, |M^T M - I| for columns; plain loops, for tests. */
export function orthogonalityError(matrix: Matrix, side: 'rows' | 'columns'): number {
  const other = plainTranspose(matrix);
  const product = side === 'rows' ? plainProduct(matrix, other) : plainProduct(other, matrix);
  return product.data.reduce(
    (largest, value, index) => Math.max(largest, Math.abs(value - (index % (product.rows + 1) === 0 ? 1 : 0))),
    0,
  );
}
