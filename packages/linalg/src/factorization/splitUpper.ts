import type { Matrix } from '../matrix.ts';
import { submatrix } from '../submatrix.ts';
import { LEAF } from '../wasm/smallFactor.ts';

/** Copies of the blocks of a square matrix that a recursion works on: [head side; . tail]. */
export interface UpperBlocks {
  readonly head: Matrix<Float64Array>;
  readonly side: Matrix<Float64Array>;
  readonly tail: Matrix<Float64Array>;
}

/** Cuts an n x n matrix, n > LEAF, after half of its rows, rounded up to whole leaves. */
export function splitUpper(data: Float64Array, n: number): UpperBlocks {
  const matrix = { rows: n, columns: n, data };
  const half = Math.ceil(n / 2 / LEAF) * LEAF;
  return {
    head: submatrix(matrix, 0, 0, half, half),
    side: submatrix(matrix, 0, half, half, n - half),
    tail: submatrix(matrix, half, half, n - half, n - half),
  };
}

/** Writes the blocks back; what stands below `head` stays. */
export function joinUpper({ head, side, tail }: UpperBlocks, data: Float64Array): void {
  const n = head.rows + tail.rows;
  for (let row = 0; row < head.rows; row++) {
    data.set(head.data.subarray(row * head.rows, (row + 1) * head.rows), row * n);
    data.set(side.data.subarray(row * tail.rows, (row + 1) * tail.rows), row * n + head.rows);
  }
  for (let row = 0; row < tail.rows; row++) {
    data.set(tail.data.subarray(row * tail.rows, (row + 1) * tail.rows), (head.rows + row) * n + head.rows);
  }
}
