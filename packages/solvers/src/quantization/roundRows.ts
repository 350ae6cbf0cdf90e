import type { QuantizedWeight, SlicedQuantized } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkWeightShape } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { roundOnGrids } from './roundOnGrids.ts';
import { roundToNearest } from './roundToNearest.ts';
import { type RoundToNearestOptions, roundToNearestOptions } from './roundToNearestOptions.ts';
import { shrinkGrids } from './shrinkGrids.ts';

/** A weight `[rows, columns]` that is read in parts. */
export interface RowSource {
  readonly rows: number;
  readonly columns: number;
  /** Rows `[start, end)`. */
  read(start: number, end: number): Promise<Matrix<Float32Array>>;
}

/**
 * `roundToNearest` of a weight that memory has no room for: the same codes and scales, `rowsPerSlice` rows at a time.
 *
 * Whether scales are float32 is decided for the whole weight, as there, by a pass of its own before the first slice.
 * Errors: those of `roundToNearest`, from the slices. Cost: twice that of `roundToNearest`, once where the scale type is forced or one slice is
 * all; memory for a slice.
 */
export async function roundRows(
  source: RowSource,
  options: RoundToNearestOptions,
  rowsPerSlice: number,
): Promise<SlicedQuantized> {
  const { bits, groupSize, symmetric, shrinkSearch, scaleType } = parseOptions(roundToNearestOptions, options, 'rtn');
  const { rows, columns } = source;
  const inputsPerGroup = resolveGroupSize(groupSize, columns);
  const shape = { outFeatures: rows, inFeatures: columns, bits, groupSize: inputsPerGroup };
  if (rowsPerSlice >= rows) {
    const whole = roundToNearest(await source.read(0, rows), options);
    return { ...shape, scaleType: whole.scaleType, slices: () => inOrder([async () => whole]) };
  }
  const starts = Array.from({ length: Math.ceil(rows / rowsPerSlice) }, (_, slice) => slice * rowsPerSlice);
  const rounded = async (start: number, wanted: 'auto' | 'float16' | 'float32'): Promise<QuantizedWeight> => {
    const part = await source.read(start, Math.min(start + rowsPerSlice, rows));
    checkWeightShape(part);
    const refine = shrinkSearch ? shrinkGrids : null;
    return roundOnGrids(part, inputsPerGroup, { bits, symmetric, shrinkSearch, scaleType: wanted }, refine);
  };
  const wide = scaleType === 'auto' && (await anyOf(starts, async start => (await rounded(start, 'auto')).scaleType));
  const slices = () => inOrder(starts.map(start => () => rounded(start, wide ? 'float32' : scaleType)));
  return { ...shape, scaleType: wide ? 'float32' : 'float16', slices };
}

/** Whether a slice needs float32 scales. */
async function anyOf(
  starts: readonly number[],
  scaleTypeAt: (start: number) => Promise<QuantizedWeight['scaleType']>,
): Promise<boolean> {
  for (const start of starts) if ((await scaleTypeAt(start)) === 'float32') return true;
  return false;
}

async function* inOrder(parts: readonly (() => Promise<QuantizedWeight>)[]): AsyncGenerator<QuantizedWeight> {
  for (const part of parts) yield await part();
}
