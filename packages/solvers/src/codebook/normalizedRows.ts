import type { Matrix } from '@quern/linalg';
import type { CodebookProblem } from './codebookProblem.ts';

/** Rows [start, end) of the weight, each divided by its scale, `[rows, inputCount]`; 0 where the scale is 0 and past the inputs. */
export function normalizedRows(
  { weight, inputCount }: Pick<CodebookProblem, 'weight' | 'inputCount'>,
  scales: Float32Array,
  start: number,
  end: number,
): Matrix<Float64Array> {
  const { columns, data } = weight;
  const rows = new Float64Array((end - start) * inputCount);
  for (let output = start; output < end; output++) {
    const scale = scales[output]!;
    if (scale === 0) continue;
    const to = (output - start) * inputCount;
    for (let input = 0; input < columns; input++) rows[to + input] = data[output * columns + input]! / scale;
  }
  return { rows: end - start, columns: inputCount, data: rows };
}
