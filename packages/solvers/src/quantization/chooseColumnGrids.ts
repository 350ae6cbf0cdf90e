import type { ColumnQuantizer } from '@quern/linalg';
import { chooseGrid } from './chooseGrid.ts';
import type { Grid } from './grid.ts';
import type { GroupGrids } from './groupGrids.ts';

/**
 * Chooses the grids of the group that starts at `column`, for the outputs [start, end), from columns as earlier errors left
 * them. Returns false when a scale does not fit the scale type.
 */
export function chooseColumnGrids(
  quantizer: ColumnQuantizer,
  column: number,
  start: number,
  end: number,
  grids: GroupGrids,
): boolean {
  const { rule, groupSize, groupCount, scales, zeroPoints } = grids;
  const { columns, outputStride } = quantizer;
  const columnCount = columns.length / outputStride;
  const size = Math.min(groupSize, columnCount - column);
  const values = new Float64Array(size);
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  for (let output = start; output < end; output++) {
    const from = column * outputStride + output - start;
    for (let index = 0; index < size; index++) values[index] = columns[from + index * outputStride]!;
    if (!chooseGrid(values, 0, size, rule, grid)) return false;
    const group = output * groupCount + column / groupSize;
    scales[group] = grid.scale;
    if (zeroPoints) zeroPoints[group] = grid.zeroPoint;
  }
  return true;
}
