import { gemm } from '../gemm.ts';
import type { Matrix } from '../matrix.ts';
import { deflate, Support } from './deflate.ts';
import { SECULAR_ROWS, type SecularSolver } from './solveSecular.ts';

/** What all merges of one divide and conquer share. */
export interface EigenWorkspace {
  readonly n: number;
  /** Eigenvalues of the parts solved so far, ascending in each. */
  readonly values: Float64Array;
  /** `[n, n]`, one square block per part: its rows are the part's unit eigenvectors. Zero elsewhere. */
  readonly vectors: Float64Array;
  /** n^2 doubles for rows in transit. */
  readonly scratch: Float64Array;
  readonly solveSecular: SecularSolver;
}

/** Two solved neighbours: `head` rows from `start` on, then `tail` rows. */
export interface Neighbours {
  readonly start: number;
  readonly head: number;
  readonly tail: number;
}

/**
 * Joins two parts of a tridiagonal matrix whose common off-diagonal value is `coupling`, and from whose last and first
 * diagonal value |coupling| was taken: eigenvalues and vectors of both together, in place.
 *
 * The joined matrix is D + rho z z^T in the basis of both parts' vectors. Source: Cuppen 1981; Gu and Eisenstat 1995; LAPACK's
 * dlaed1 to dlaed3. Vectors that live in one part only are multiplied as such, which halves the products.
 * Cost: up to (head + tail)^3 / 2 multiply-adds, less what deflates.
 */
export async function mergeEigen(space: EigenWorkspace, parts: Neighbours, coupling: number): Promise<void> {
  const { n, values, vectors, scratch } = space;
  const { start, head, tail } = parts;
  const size = head + tail;
  const rowAt = (row: number) => (start + row) * n + start;
  const sign = coupling < 0 ? -Math.SQRT1_2 : Math.SQRT1_2;
  const z = Float64Array.from({ length: size }, (_, row) =>
    row < head ? Math.SQRT1_2 * vectors[rowAt(row) + head - 1]! : sign * vectors[rowAt(row) + head]!,
  );
  const poles = values.slice(start, start + size);
  const supports = Array.from(z, (_, row): Support => (row < head ? Support.head : Support.tail));
  const rho = 2 * Math.abs(coupling);
  const { kept, deflated } = deflate({
    poles,
    z,
    supports,
    rho,
    rotate: (x, y, cosine, sine) => rotateRows(vectors, rowAt(x), rowAt(y), size, cosine, sine),
  });
  const order = Array.from(kept.keys()).sort((first, second) => supports[kept[first]!]! - supports[kept[second]!]!);
  const ordered = order.map(index => kept[index]!);
  const leftCount = ordered.filter(pole => supports[pole] !== Support.tail).length;
  const rightStart = ordered.filter(pole => supports[pole] === Support.head).length;

  const copyRows = (rows: number[], column: number, columns: number, to: number): Matrix<Float64Array> => {
    const data = scratch.subarray(to, to + rows.length * columns);
    rows.forEach((row, index) => {
      data.set(vectors.subarray(rowAt(row) + column, rowAt(row) + column + columns), index * columns);
    });
    return { rows: rows.length, columns, data };
  };
  const left = copyRows(ordered.slice(0, leftCount), 0, head, 0);
  const right = copyRows(ordered.slice(rightStart), head, tail, left.data.length);
  const unchanged = copyRows(deflated, 0, size, left.data.length + right.data.length);

  const solution = kept.length === 0 ? null : space.solveSecular(pick(poles, kept), pick(z, kept), rho, order);
  const found = [...(solution?.roots ?? []), ...deflated.map(pole => poles[pole]!)];
  const sorted = Array.from(found.keys()).sort((first, second) => found[first]! - found[second]!);
  const placeOf = new Int32Array(size);
  sorted.forEach((index, place) => {
    placeOf[index] = place;
    values[start + place] = found[index]!;
  });

  for (let from = 0; solution !== null && from < kept.length; from += SECULAR_ROWS) {
    const to = Math.min(kept.length, from + SECULAR_ROWS);
    const components = solution.vectors(from, to, leftCount, rightStart);
    const inHead = await product(components.left, left);
    const inTail = await product(components.right, right);
    for (let root = from; root < to; root++) {
      const at = rowAt(placeOf[root]!);
      vectors.set(inHead.subarray((root - from) * head, (root - from + 1) * head), at);
      vectors.set(inTail.subarray((root - from) * tail, (root - from + 1) * tail), at + head);
    }
  }
  deflated.forEach((_, index) => {
    const row = unchanged.data.subarray(index * size, (index + 1) * size);
    vectors.set(row, rowAt(placeOf[kept.length + index]!));
  });
}

function pick(values: Float64Array, indices: number[]): Float64Array {
  return Float64Array.from(indices, index => values[index]!);
}

/** a b, zeros where nothing is to be summed. */
async function product(a: Matrix<Float64Array>, b: Matrix<Float64Array>): Promise<Float64Array> {
  return a.columns === 0 ? new Float64Array(a.rows * b.columns) : (await gemm(a, b)).data;
}

function rotateRows(data: Float64Array, x: number, y: number, count: number, cosine: number, sine: number): void {
  for (let column = 0; column < count; column++) {
    const upper = data[x + column]!;
    const lower = data[y + column]!;
    data[x + column] = cosine * upper + sine * lower;
    data[y + column] = cosine * lower - sine * upper;
  }
}
