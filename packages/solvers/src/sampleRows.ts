import type { Matrix } from '@quern/linalg';

/** At most `count` rows of a matrix, evenly spread; the matrix itself when it has no more. */
export function sampleRows(matrix: Matrix<Float32Array>, count: number): Matrix<Float32Array> {
  const { rows, columns, data } = matrix;
  if (rows <= count) return matrix;
  const sample = new Float32Array(count * columns);
  for (let index = 0; index < count; index++) {
    const row = Math.floor(((index + 0.5) * rows) / count);
    sample.set(data.subarray(row * columns, (row + 1) * columns), index * columns);
  }
  return { rows: count, columns, data: sample };
}
