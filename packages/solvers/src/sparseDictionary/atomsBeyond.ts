import type { Matrix } from '@quern/linalg';

/** Atoms beyond the new ones on the way from the old, by a share of it, of norm 1. The sign of an atom may have turned. */
export function atomsBeyond(
  old: Matrix<Float32Array>,
  fitted: Matrix<Float32Array>,
  share: number,
): Matrix<Float32Array> {
  const { rows, columns } = fitted;
  const data = new Float32Array(rows * columns);
  for (let start = 0; start < data.length; start += columns) {
    let overlap = 0;
    for (let index = start; index < start + columns; index++) overlap += old.data[index]! * fitted.data[index]!;
    const sign = overlap < 0 ? -1 : 1;
    let square = 0;
    for (let index = start; index < start + columns; index++) {
      const value = fitted.data[index]! + share * (fitted.data[index]! - sign * old.data[index]!);
      data[index] = value;
      square += value * value;
    }
    const norm = Math.sqrt(square);
    if (norm > 0) for (let index = start; index < start + columns; index++) data[index]! /= norm;
  }
  return { rows, columns, data };
}
