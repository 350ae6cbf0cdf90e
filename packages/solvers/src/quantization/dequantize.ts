import type { Grid } from './grid.ts';

/** The value that a code stands for: scale (code - zeroPoint). */
export function dequantize(code: number, grid: Grid): number {
  return grid.scale * (code - grid.zeroPoint);
}
