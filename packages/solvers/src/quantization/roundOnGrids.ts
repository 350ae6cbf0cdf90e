import type { QuantizedWeight } from '@quern/core';
import { createRowQuantizer, type Matrix, type RowQuantizer } from '@quern/linalg';
import { checkWeight } from '../checkWeight.ts';
import type { GridRule } from './grid.ts';
import { createGroupGrids } from './groupGrids.ts';
import { scalesTooLarge } from './scalesTooLarge.ts';

/** Makes the grids that cover the ranges of some rows, which the quantiser holds, into better ones. */
export type GridRefiner = (quantizer: RowQuantizer, rows: number, rule: GridRule) => void;

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
  const { scales, zeroPoints } = createGroupGrids(rows, columns, groupSize, rule);
  const codes = new Uint8Array(data.length);
  const quantizer = createRowQuantizer(columns, groupSize);
  const { rowCapacity, groupsPerRow } = quantizer;
  for (let start = 0; start < rows; start += rowCapacity) {
    const count = Math.min(rowCapacity, rows - start);
    quantizer.values.set(data.subarray(start * columns, (start + count) * columns));
    quantizer.measure(count);
    const covered = quantizer.cover(count, rule);
    // Finds the value that is not finite and throws.
    if (covered === 'notFinite') checkWeight(weight);
    if (covered !== 'fits') return null;
    refine?.(quantizer, count, rule);
    quantizer.quantize(count, rule.bits);
    codes.set(quantizer.codes.subarray(0, count * columns), start * columns);
    const groupCount = count * groupsPerRow;
    scales.set(quantizer.scales.subarray(0, groupCount), start * groupsPerRow);
    zeroPoints?.set(quantizer.zeroPoints.subarray(0, groupCount), start * groupsPerRow);
  }
  return {
    kind: 'quantized',
    outFeatures: rows,
    inFeatures: columns,
    bits: rule.bits,
    groupSize,
    codes,
    scales,
    scaleType: rule.scaleType,
    zeroPoints,
  };
}
