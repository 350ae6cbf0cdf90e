import type { QuantizedWeight } from '@quern/core';
import { createRowQuantizer, type Matrix, type RowQuantizer } from '@quern/linalg';
import { checkWeight } from '../checkWeight.ts';
import type { Grid, GridRule } from './grid.ts';
import { gridOfRange } from './gridOfRange.ts';
import { createGroupGrids, type GroupGrids } from './groupGrids.ts';
import { scalesTooLarge } from './scalesTooLarge.ts';

/** Makes the grid of one group, values[start .. end), that covers its range into a better one. */
export type GridRefiner = (
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  range: { readonly lowest: number; readonly highest: number },
  rule: GridRule,
  grid: Grid,
  /** Holds the same values at the same places. */
  quantizer: RowQuantizer,
) => void;

/** What the caller wants of all grids. `auto`: float32 where any scale leaves the range of float16. */
export interface GridWish extends Pick<GridRule, 'bits' | 'symmetric' | 'shrinkSearch'> {
  readonly scaleType: 'auto' | 'float16' | 'float32';
}

/**
 * Rounds every weight to its group's grid: the one that covers the group's range, refined where a refiner is given.
 *
 * Errors: NON_FINITE_WEIGHT; SOLVER_FAILED for scales that a forced float16 cannot hold.
 */
export function roundOnGrids(
  weight: Matrix<Float32Array>,
  groupSize: number,
  { scaleType, ...wish }: GridWish,
  refine: GridRefiner | null,
): QuantizedWeight {
  const rule = { ...wish, raiseSmallScales: scaleType === 'float16' };
  const result =
    scaleType === 'float32' ? null : roundWith(weight, groupSize, { ...rule, scaleType: 'float16' }, refine);
  if (result) return result;
  if (scaleType === 'float16') throw scalesTooLarge();
  return roundWith(weight, groupSize, { ...rule, scaleType: 'float32' }, refine)!;
}

/** Null when a scale does not fit the scale type. */
function roundWith(
  weight: Matrix<Float32Array>,
  groupSize: number,
  rule: GridRule,
  refine: GridRefiner | null,
): QuantizedWeight | null {
  const { rows, columns, data } = weight;
  const grids = createGroupGrids(rows, columns, groupSize, rule);
  const codes = new Uint8Array(data.length);
  const quantizer = createRowQuantizer(columns, groupSize);
  for (let start = 0; start < rows; start += quantizer.rowCapacity) {
    const count = Math.min(quantizer.rowCapacity, rows - start);
    const chunk = data.subarray(start * columns, (start + count) * columns);
    quantizer.values.set(chunk);
    quantizer.measure(count);
    // A range with NaN has a value that is not finite: this finds it and throws.
    if (hasNaN(quantizer.ranges, 2 * count * quantizer.groupsPerRow)) checkWeight(weight);
    if (!chooseGrids(chunk, columns, start, quantizer, { grids, refine })) return null;
    quantizer.quantize(count, rule.bits);
    codes.set(quantizer.codes.subarray(0, chunk.length), start * columns);
  }
  return {
    kind: 'quantized',
    outFeatures: rows,
    inFeatures: columns,
    bits: rule.bits,
    groupSize,
    codes,
    scales: grids.scales,
    scaleType: rule.scaleType,
    zeroPoints: grids.zeroPoints,
  };
}

/** The grids of the rows in `chunk`, whose ranges the quantiser has measured, for the quantiser and for the result. */
function chooseGrids(
  chunk: Float32Array,
  columns: number,
  firstRow: number,
  quantizer: RowQuantizer,
  { grids, refine }: { readonly grids: GroupGrids; readonly refine: GridRefiner | null },
): boolean {
  const { rule, groupSize, scales, zeroPoints } = grids;
  const { ranges, inverseScales, offsets, groupsPerRow } = quantizer;
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  const groupCount = (chunk.length / columns) * groupsPerRow;
  const first = firstRow * groupsPerRow;
  for (let group = 0; group < groupCount; group++) {
    const lowest = ranges[2 * group]!;
    const highest = ranges[2 * group + 1]!;
    if (!gridOfRange(lowest, highest, rule, grid)) return false;
    if (refine && lowest < highest) {
      const row = Math.floor(group / groupsPerRow);
      const from = row * columns + (group % groupsPerRow) * groupSize;
      const to = Math.min(from + groupSize, (row + 1) * columns);
      refine(chunk, from, to, { lowest, highest }, rule, grid, quantizer);
    }
    inverseScales[group] = 1 / grid.scale;
    offsets[group] = grid.zeroPoint + 0.5;
    scales[first + group] = grid.scale;
    if (zeroPoints) zeroPoints[first + group] = grid.zeroPoint;
  }
  return true;
}

function hasNaN(values: Float32Array, count: number): boolean {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += values[index]! * 0;
  return Number.isNaN(sum);
}
