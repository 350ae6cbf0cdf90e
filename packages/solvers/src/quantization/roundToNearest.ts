import type { QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { chooseGrid } from './chooseGrid.ts';
import type { Grid, GridRule } from './grid.ts';
import { quantize } from './quantize.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { type RoundToNearestOptions, roundToNearestOptions } from './roundToNearestOptions.ts';

/**
 * Rounds every weight to the nearest point of its group's grid; needs no data.
 *
 * Objective: each group's range is covered (or, with shrinkSearch, its summed |error|^2.4 is small); see chooseGrid.
 * Source: the baseline of every quantisation paper; the search is that of the GPTQ reference code.
 * `weight`: `[outFeatures, inFeatures]`, finite, not modified. Scales are float16, or float32 for the whole weight when any
 * of them leaves float16's normal range.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT.
 * Cost: three reads and one write per weight, up to 80 times more for the search; scratch is the result.
 */
export function roundToNearest(weight: Matrix<Float32Array>, options: RoundToNearestOptions = {}): QuantizedWeight {
  const { bits, groupSize, symmetric, shrinkSearch } = parseOptions(roundToNearestOptions, options, 'rtn');
  const inputsPerGroup = resolveGroupSize(groupSize, weight.columns);
  checkWeight(weight);
  const rule = { bits, symmetric, shrinkSearch };
  const result =
    roundWith(weight, inputsPerGroup, { ...rule, scaleType: 'float16' }) ??
    roundWith(weight, inputsPerGroup, { ...rule, scaleType: 'float32' });
  return result!;
}

/** Null when a scale does not fit the scale type. */
function roundWith(weight: Matrix<Float32Array>, groupSize: number, rule: GridRule): QuantizedWeight | null {
  const { rows, columns, data } = weight;
  const { bits, symmetric, scaleType } = rule;
  const groupCount = Math.ceil(columns / groupSize);
  const codes = new Uint8Array(data.length);
  const scales = new Float32Array(rows * groupCount);
  const zeroPoints = symmetric ? null : new Uint8Array(rows * groupCount);
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  let group = 0;
  for (let row = 0; row < rows; row++) {
    const rowEnd = (row + 1) * columns;
    for (let start = row * columns; start < rowEnd; start += groupSize, group++) {
      const end = Math.min(start + groupSize, rowEnd);
      if (!chooseGrid(data, start, end, rule, grid)) return null;
      quantize(data, start, end, grid, bits, codes);
      scales[group] = grid.scale;
      if (zeroPoints) zeroPoints[group] = grid.zeroPoint;
    }
  }
  return {
    kind: 'quantized',
    outFeatures: rows,
    inFeatures: columns,
    bits,
    groupSize,
    codes,
    scales,
    scaleType,
    zeroPoints,
  };
}
