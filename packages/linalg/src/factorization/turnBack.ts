import type { Matrix } from '../matrix.ts';
import { transpose } from '../transpose.ts';
import { applyReflectors } from './applyReflectors.ts';
import { pairPanels } from './pairPanels.ts';
import type { ReflectorPanel } from './reflectorBlock.ts';

/** Rows that are turned together: they stay in the cache. */
const GROUP_ROWS = 512;

/**
 * Every row x of `vectors` becomes H_0 H_1 ... x in place, at unit length: eigenvectors of a tridiagonal matrix become those of the
 * matrix that the reflections H made tridiagonal.
 *
 * Cost: n^2 times the number of rows multiply-adds; scratch n^2 / 2 + 2000 n values.
 */
export async function turnBack<Data extends Float32Array | Float64Array>(
  panels: readonly ReflectorPanel<Data>[],
  vectors: Matrix<Data>,
): Promise<void> {
  const { rows, columns, data } = vectors;
  const blocks = await pairPanels(panels);
  for (let first = 0; first < rows; first += GROUP_ROWS) {
    const end = Math.min(rows, first + GROUP_ROWS);
    const group = data.subarray(first * columns, end * columns) as Data;
    const turned = transpose({ rows: end - first, columns, data: group });
    await applyReflectors(blocks, turned);
    group.set(transpose(turned).data);
    for (let row = first; row < end; row++) normalize(data.subarray(row * columns, (row + 1) * columns));
  }
}

/** Rounding lets lengths drift by some units of the last place. */
function normalize(row: Float32Array | Float64Array): void {
  let sum = 0;
  for (let index = 0; index < row.length; index++) sum += row[index]! ** 2;
  const factor = 1 / Math.sqrt(sum);
  for (let index = 0; index < row.length; index++) row[index]! *= factor;
}
