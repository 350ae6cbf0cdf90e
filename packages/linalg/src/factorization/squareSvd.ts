import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import { symmetricEigen } from '../symmetricEigen.ts';
import { transpose } from '../transpose.ts';
import { householderQr } from './householderQr.ts';

/** M = sum of values[i] left_i right_i^T over the rows of two orthogonal matrices; values are not sorted. */
export interface SvdRows {
  readonly left: Matrix<Float64Array>;
  readonly values: Float64Array;
  readonly right: Matrix<Float64Array>;
}

/** One Gram gives the singular values that are at least this part of its largest. */
const RANGE = 1 / 16;

/**
 * Singular value decomposition of a square float64 matrix of largest size about 1.
 *
 * The eigenvectors V of M^T M make the columns of M V orthogonal, but those of small singular values only as far as the rounding
 * errors of the large ones allow. So M V = Q R is factorised: Q is orthonormal whatever happens, the leading rows of R are
 * diagonal to eps |M| / RANGE, and the columns whose singular values are below RANGE of the largest go through the same
 * again as a smaller matrix, until it is below eps.
 * Backward error: about 16 eps |M|, singular values to the same.
 * Cost: about 6 n^3 multiply-adds; three times as much where singular values spread evenly over 12 decades. Scratch: seven copies.
 * Errors: when eigenvalues do not converge.
 */
export async function squareSvd(matrix: Matrix<Float64Array>): Promise<SvdRows> {
  const n = matrix.rows;
  const values = new Float64Array(n);
  let left = identity(n);
  let right = left;
  let block = matrix;
  const negligible = Number.EPSILON * largestSize(matrix);
  for (let done = 0; done < n; done = n - block.rows) {
    if (largestSize(block) <= negligible) {
      for (let row = 0; row < block.rows; row++) values[done + row] = Math.abs(block.data[row * (block.rows + 1)]!);
      break;
    }
    const gram = await gemm(block, block, { transposeA: true });
    const { values: squares, vectors } = await symmetricEigen(gram);
    const { q, r } = await householderQr(await gemm(block, vectors, { transposeB: true }));
    left = done === 0 ? transpose(q) : await turnRows(q, true, left);
    right = done === 0 ? vectors : await turnRows(vectors, false, right);
    const outside = squares.findIndex(square => square < RANGE ** 2 * squares[0]!);
    const count = outside < 0 ? r.rows : outside;
    for (let row = 0; row < count; row++) values[done + row] = r.data[row * (r.rows + 1)]!;
    block = trailingBlock(r, count);
  }
  return { left, values, right };
}

/** The last rows become op(turn) times themselves. */
async function turnRows(
  turn: Matrix<Float64Array>,
  transposeA: boolean,
  { rows, columns, data }: Matrix<Float64Array>,
): Promise<Matrix<Float64Array>> {
  const first = (rows - turn.rows) * columns;
  const last = { rows: turn.rows, columns, data: data.subarray(first) };
  data.set((await gemm(turn, last, { transposeA })).data, first);
  return { rows, columns, data };
}

function trailingBlock({ rows, data }: Matrix<Float64Array>, first: number): Matrix<Float64Array> {
  const size = rows - first;
  const block = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    block.set(data.subarray((first + row) * rows + first, (first + row + 1) * rows), row * size);
  }
  return { rows: size, columns: size, data: block };
}

function identity(n: number): Matrix<Float64Array> {
  const data = new Float64Array(n * n);
  for (let row = 0; row < n; row++) data[row * (n + 1)] = 1;
  return { rows: n, columns: n, data };
}

function largestSize({ data }: Matrix<Float64Array>): number {
  return data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}
