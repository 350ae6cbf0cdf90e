import type { Matrix } from '../matrix.ts';
import { type EigenWorkspace, mergeEigen } from './mergeEigen.ts';
import { createSecularSolver } from './solveSecular.ts';
import { tridiagonalQl } from './tridiagonalQl.ts';

/** Largest part that is solved at once. */
const LEAF = 32;

/**
 * Eigenvalues, ascending, and unit eigenvectors, the rows of an n x n matrix, of the symmetric tridiagonal matrix with this
 * `diagonal` and `offDiagonal` (as many values, the last one unused).
 *
 * Divide and conquer: halves down to 32 rows, solved by implicit QL, then joined. Source: Cuppen 1981; Gu and Eisenstat 1995.
 * Values should not exceed 1 by much: what is negligible is measured so.
 * Errors: when an iteration does not converge. Cost: at most 2 n^3 / 3 multiply-adds, less what deflates; 2 n^2 + 520 n doubles.
 */
export async function tridiagonalEigen(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Promise<{ values: Float64Array; vectors: Matrix<Float64Array> }> {
  const n = diagonal.length;
  const space: EigenWorkspace = {
    n,
    values: diagonal.slice(),
    vectors: new Float64Array(n * n),
    scratch: new Float64Array(n > LEAF ? n * n : 0),
    solveSecular: createSecularSolver(n > LEAF ? n : 0),
  };
  await solvePart(space, offDiagonal, 0, n);
  return { values: space.values, vectors: { rows: n, columns: n, data: space.vectors } };
}

async function solvePart(space: EigenWorkspace, offDiagonal: Float64Array, start: number, size: number): Promise<void> {
  if (size <= LEAF) {
    solveLeaf(space, offDiagonal, start, size);
    return;
  }
  const head = size >> 1;
  const middle = start + head;
  const coupling = offDiagonal[middle - 1]!;
  space.values[middle - 1]! -= Math.abs(coupling);
  space.values[middle]! -= Math.abs(coupling);
  await solvePart(space, offDiagonal, start, head);
  await solvePart(space, offDiagonal, middle, size - head);
  await mergeEigen(space, { start, head, tail: size - head }, coupling);
}

function solveLeaf(
  { n, values, vectors }: EigenWorkspace,
  offDiagonal: Float64Array,
  start: number,
  size: number,
): void {
  const leaf = new Float64Array(size * size);
  for (let row = 0; row < size; row++) leaf[row * size + row] = 1;
  const diagonal = values.slice(start, start + size);
  tridiagonalQl(diagonal, offDiagonal.slice(start, start + size), leaf);
  const order = Array.from(diagonal.keys()).sort((first, second) => diagonal[first]! - diagonal[second]!);
  order.forEach((row, place) => {
    values[start + place] = diagonal[row]!;
    vectors.set(leaf.subarray(row * size, (row + 1) * size), (start + place) * n + start);
  });
}
