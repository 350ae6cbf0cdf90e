import type { Matrix } from './matrix.ts';

/** A copy of `rows` rows from `row` on and `columns` columns from `column` on. */
export function submatrix(
  matrix: Matrix<Float64Array>,
  row: number,
  column: number,
  rows: number,
  columns: number,
): Matrix<Float64Array> {
  const data = new Float64Array(rows * columns);
  for (let offset = 0; offset < rows; offset++) {
    const from = (row + offset) * matrix.columns + column;
    data.set(matrix.data.subarray(from, from + columns), offset * columns);
  }
  return { rows, columns, data };
}
