import type { Matrix } from '@quern/linalg';
import { chooseGrid } from './chooseGrid.ts';
import type { Grid } from './grid.ts';
import type { GroupGrids } from './groupGrids.ts';

/**
 * Chooses the grids of all groups of the outputs [start, end) from a weight `[outFeatures, inFeatures]` ("static groups").
 * Returns false when a scale does not fit the scale type.
 */
export function chooseRowGrids(weight: Matrix<Float32Array>, start: number, end: number, grids: GroupGrids): boolean {
  const { rule, groupSize, groupCount, scales, zeroPoints } = grids;
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  for (let output = start; output < end; output++) {
    const rowStart = output * weight.columns;
    for (let group = 0; group < groupCount; group++) {
      const from = rowStart + group * groupSize;
      const to = Math.min(from + groupSize, rowStart + weight.columns);
      if (!chooseGrid(weight.data, from, to, rule, grid)) return false;
      scales[output * groupCount + group] = grid.scale;
      if (zeroPoints) zeroPoints[output * groupCount + group] = grid.zeroPoint;
    }
  }
  return true;
}
