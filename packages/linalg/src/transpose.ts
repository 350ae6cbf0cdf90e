import type { Matrix } from './matrix.ts';
import { zerosLike } from './zerosLike.ts';

/** Side of the squares that are read by rows and written by columns: both fit the first cache. */
const TILE = 32;

/** A^T as a new matrix. */
export function transpose<Data extends Float32Array | Float64Array>(matrix: Matrix<Data>): Matrix<Data> {
  const { rows, columns, data } = matrix;
  const result = zerosLike(data, data.length);
  for (let rowStart = 0; rowStart < rows; rowStart += TILE) {
    const rowEnd = Math.min(rows, rowStart + TILE);
    for (let columnStart = 0; columnStart < columns; columnStart += TILE) {
      const columnEnd = Math.min(columns, columnStart + TILE);
      for (let column = columnStart; column < columnEnd; column++) {
        for (let row = rowStart; row < rowEnd; row++) result[column * rows + row] = data[row * columns + column]!;
      }
    }
  }
  return { rows: columns, columns: rows, data: result };
}
