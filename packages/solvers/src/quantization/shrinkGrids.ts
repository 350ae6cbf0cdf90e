import type { RowQuantizer } from '@quern/linalg';
import type { Grid, GridRule } from './grid.ts';
import { shrinkGrid } from './shrinkGrid.ts';

/** Makes the grids of all groups of some rows narrower where that errs less; see shrinkGrid. */
export function shrinkGrids(quantizer: RowQuantizer, rows: number, rule: GridRule): void {
  const { values, ranges, scales, zeroPoints, columns, groupSize, groupsPerRow } = quantizer;
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  for (let group = 0; group < rows * groupsPerRow; group++) {
    const [lowest, highest] = [ranges[2 * group]!, ranges[2 * group + 1]!];
    if (lowest === highest) continue;
    const row = Math.floor(group / groupsPerRow);
    const start = row * columns + (group % groupsPerRow) * groupSize;
    const end = Math.min(start + groupSize, (row + 1) * columns);
    grid.scale = scales[group]!;
    grid.zeroPoint = zeroPoints[group]!;
    shrinkGrid(values, start, end, { lowest, highest }, rule, grid);
    scales[group] = grid.scale;
    zeroPoints[group] = grid.zeroPoint;
  }
}
