import type { Grid, GridRule } from './grid.ts';
import { gridOfRange } from './gridOfRange.ts';
import { shrinkGrid } from './shrinkGrid.ts';

/**
 * Chooses the grid of one group, values[start .. end), and writes it to `grid`: the one that covers the group's range and 0
 * (see gridOfRange), or with `rule.shrinkSearch` a narrower one with less error (see shrinkGrid).
 *
 * Returns false, with `grid` of no use, when the scale does not fit `rule.scaleType`. Allocates nothing per group but the
 * search's range.
 */
export function chooseGrid(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  rule: GridRule,
  grid: Grid,
): boolean {
  let lowest = 0;
  let highest = 0;
  for (let index = start; index < end; index++) {
    const value = values[index]!;
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  if (!gridOfRange(lowest, highest, rule, grid)) return false;
  if (rule.shrinkSearch && lowest < highest) shrinkGrid(values, start, end, { lowest, highest }, rule, grid);
  return true;
}
