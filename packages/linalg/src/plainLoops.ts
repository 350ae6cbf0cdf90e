import type { Matrix } from './matrix.ts';

/** Plain-loop twins of the kernels, float64, for tests: slow and obvious. */

export function plainProduct(a: Matrix, b: Matrix): Matrix<Float64Array> {
  const data = new Float64Array(a.rows * b.columns);
  for (let row = 0; row < a.rows; row++) {
    for (let column = 0; column < b.columns; column++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) sum += a.data[row * a.columns + k]! * b.data[k * b.columns + column]!;
      data[row * b.columns + column] = sum;
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

export function plainTranspose(a: Matrix): Matrix<Float64Array> {
  const data = Float64Array.from(
    a.data,
    (_, index) => a.data[(index % a.rows) * a.columns + Math.floor(index / a.rows)]!,
  );
  return { rows: a.columns, columns: a.rows, data };
}

/** Lower L with A = L L^T by the textbook recurrence; NaN where A is not positive definite. */
export function plainCholesky(a: Matrix): Matrix<Float64Array> {
  const n = a.rows;
  const data = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = a.data[row * n + column]!;
      for (let k = 0; k < column; k++) sum -= data[row * n + k]! * data[column * n + k]!;
      data[row * n + column] = row === column ? Math.sqrt(sum) : sum / data[column * n + column]!;
    }
  }
  return { rows: n, columns: n, data };
}

/** Deterministic values in [-1, 1) without structure: a 32-bit linear congruential generator. */
export function randomMatrix(rows: number, columns: number, seed = 1): Matrix<Float64Array> {
  let state = (seed * 747796405 + 2891336453) >>> 0;
  const data = Float64Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns, data };
}

/** X^T X / rows + shift I of random X with column norms spread over `decades` powers of ten. */
export function randomGram(n: number, shift: number, decades = 0, seed = 2): Matrix<Float64Array> {
  const x = randomMatrix(2 * n + 1, n, seed);
  for (let index = 0; index < x.data.length; index++) x.data[index]! *= 10 ** (-(decades * (index % n)) / n);
  const gram = plainProduct(plainTranspose(x), x);
  for (let index = 0; index < n; index++) gram.data[index * n + index]! += shift;
  return gram;
}

/** Largest |a - b| over the largest |a|. */
export function relativeDifference(a: Matrix, b: Matrix): number {
  let difference = 0;
  let largest = 0;
  for (let index = 0; index < a.data.length; index++) {
    difference = Math.max(difference, Math.abs(a.data[index]! - b.data[index]!));
    largest = Math.max(largest, Math.abs(a.data[index]!));
  }
  return a.data.length === b.data.length ? difference / largest : Number.NaN;
}
