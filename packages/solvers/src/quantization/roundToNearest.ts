import type { QuantizedWeight } from '@quern/core';
import { createRowQuantizer, type Matrix, type RowQuantizer } from '@quern/linalg';
import { checkWeight, checkWeightShape } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import type { Grid, GridRule } from './grid.ts';
import { gridOfRange } from './gridOfRange.ts';
import { createGroupGrids, type GroupGrids } from './groupGrids.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { type RoundToNearestOptions, roundToNearestOptions } from './roundToNearestOptions.ts';
import { scalesTooLarge } from './scalesTooLarge.ts';
import { shrinkGrid } from './shrinkGrid.ts';

/**
 * Rounds every weight to the nearest point of its group's grid; needs no data.
 *
 * Objective: each group's range is covered (or, with shrinkSearch, its summed |error|^2.4 is small); see chooseGrid.
 * Source: the baseline of every quantisation paper; the search is that of the GPTQ reference code.
 * `weight`: `[outFeatures, inFeatures]`, finite, not modified. Scales are float16, or float32 for the whole weight when any
 * of them leaves float16's normal range (see the option scaleType).
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT; SOLVER_FAILED for scales that a forced float16 cannot hold.
 * Cost: three reads and one write per weight, up to 80 times more for the search; scratch is the result.
 */
export function roundToNearest(weight: Matrix<Float32Array>, options: RoundToNearestOptions = {}): QuantizedWeight {
  const { bits, groupSize, symmetric, shrinkSearch, scaleType } = parseOptions(roundToNearestOptions, options, 'rtn');
  const inputsPerGroup = resolveGroupSize(groupSize, weight.columns);
  checkWeightShape(weight);
  const rule = { bits, symmetric, shrinkSearch, raiseSmallScales: scaleType === 'float16' };
  const result = roundWith(weight, inputsPerGroup, { ...rule, scaleType: 'float16' });
  if (result) return result;
  if (scaleType === 'float16') throw scalesTooLarge();
  return roundWith(weight, inputsPerGroup, { ...rule, scaleType: 'float32' })!;
}

/** Null when a scale does not fit the scale type. */
function roundWith(weight: Matrix<Float32Array>, groupSize: number, rule: GridRule): QuantizedWeight | null {
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
    if (!chooseGrids(chunk, columns, start, quantizer, grids)) return null;
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
  { ranges, inverseScales, offsets, groupsPerRow }: RowQuantizer,
  { rule, groupSize, scales, zeroPoints }: GroupGrids,
): boolean {
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  const groupCount = (chunk.length / columns) * groupsPerRow;
  const first = firstRow * groupsPerRow;
  for (let group = 0; group < groupCount; group++) {
    const lowest = ranges[2 * group]!;
    const highest = ranges[2 * group + 1]!;
    if (!gridOfRange(lowest, highest, rule, grid)) return false;
    if (rule.shrinkSearch && lowest < highest) {
      const row = Math.floor(group / groupsPerRow);
      const from = row * columns + (group % groupsPerRow) * groupSize;
      const to = Math.min(from + groupSize, (row + 1) * columns);
      shrinkGrid(chunk, from, to, { lowest, highest }, rule, grid);
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
