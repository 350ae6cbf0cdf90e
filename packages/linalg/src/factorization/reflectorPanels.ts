import type { Matrix } from '../matrix.ts';
import { zerosLike } from '../zerosLike.ts';
import type { ReflectorPanel } from './reflectorBlock.ts';

/** Reflections that are kept together. */
const PANEL_ROWS = 64;

/** The reflections that LAPACK's sytrd left above the diagonal of `reduced` `[n, n]`, with their ones and zeros, as panels. */
export function reflectorPanels<Data extends Float32Array | Float64Array>(
  reduced: Matrix<Data>,
  taus: Data,
): ReflectorPanel<Data>[] {
  const n = reduced.rows;
  const panels: ReflectorPanel<Data>[] = [];
  for (let from = 0; from < n - 1; from += PANEL_ROWS) {
    const count = Math.min(PANEL_ROWS, n - 1 - from);
    const start = from + 1;
    const columns = n - start;
    const data = zerosLike(taus, count * columns);
    for (let row = 0; row < count; row++) {
      const at = row * columns + row;
      data[at] = 1;
      data.set(reduced.data.subarray((from + row) * n + start + row + 1, (from + row + 1) * n), at + 1);
    }
    panels.push({ start, vectors: { rows: count, columns, data }, taus: taus.slice(from, from + count) as Data });
  }
  return panels;
}
