import type { Matrix } from '@quern/linalg';
import { keepLargest } from './keepLargest.ts';

/**
 * Sets all but the floor(count / rows) largest magnitudes of each row to 0, in place; what is left of `count` goes to the rows
 * whose next value is largest.
 */
export function keepLargestOfRows(
  { rows, columns, data }: Matrix<Float32Array> | Matrix<Float64Array>,
  count: number,
): void {
  const each = Math.floor(count / rows);
  const next = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    if (each >= columns) continue;
    const kept = values.slice();
    keepLargest(kept, each);
    let best = -1;
    for (let column = 0; column < columns; column++) {
      if (kept[column] === 0 && (best < 0 || Math.abs(values[column]!) > Math.abs(values[best]!))) best = column;
    }
    if (best >= 0) next[row * columns + best] = values[best]!;
    values.set(kept);
  }
  keepLargest(next, count - each * rows);
  for (let index = 0; index < next.length; index++) if (next[index] !== 0) data[index] = next[index]!;
}
