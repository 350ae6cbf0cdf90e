import type { Matrix } from '@quern/linalg';

/** A matrix whose rows are multiplied by their scales, or divided by them; a copy. */
export function scaleRows(
  { rows, columns, data }: Matrix<Float64Array>,
  scales: Float64Array,
  direction: 'times' | 'over' = 'times',
): Matrix<Float64Array> {
  const scaled = data.slice();
  for (let row = 0, index = 0; row < rows; row++) {
    const scale = direction === 'times' ? scales[row]! : 1 / scales[row]!;
    for (let column = 0; column < columns; column++, index++) scaled[index]! *= scale;
  }
  return { rows, columns, data: scaled };
}
