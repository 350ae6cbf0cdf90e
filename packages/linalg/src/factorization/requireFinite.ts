import type { Matrix } from '../matrix.ts';

/** The largest absolute value; 0 of an empty matrix. Errors: RangeError that names the first value which is NaN or infinite. */
export function requireFinite(matrix: Matrix, caller: string): number {
  const { columns, data } = matrix;
  let largest = 0;
  for (let index = 0; index < data.length; index++) {
    const size = Math.abs(data[index]!);
    if (!(size < Number.POSITIVE_INFINITY)) {
      const [row, column] = [Math.floor(index / columns), index % columns];
      throw new RangeError(`${caller}: the value in row ${row}, column ${column} is ${data[index]}`);
    }
    if (size > largest) largest = size;
  }
  return largest;
}
