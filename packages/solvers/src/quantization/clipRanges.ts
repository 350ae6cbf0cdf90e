import type { QuantizedWeight } from '@quern/core';
import { gemm, type Matrix } from '@quern/linalg';
import { type CorrelatedInputs, correlationBlock } from './correlatedInputs.ts';
import type { Grid, GridRule } from './grid.ts';
import { gridOfRange } from './gridOfRange.ts';
import { createGroupGrids, type GroupGrids } from './groupGrids.ts';
import { quantize } from './quantize.ts';

/** Ranges that are tried below the full one, evenly down to half of it. */
const STEPS = 20;
const LEAST_FRACTION = 0.5;
/** Inputs whose correlations count in the error of a clipped group, at most; for few inputs an eighth of them. */
const LEAST_BLOCK = 32;

/**
 * Rounds to nearest on grids whose ranges may be narrower than the weights': of 1, .975, .. .5 times the full range of a group, the
 * one with the least error of the output that the group's own inputs cause.
 *
 * Objective, for each output and group: e G_gg e^T with e = w - q on the group's inputs. Source: AWQ, arXiv:2306.00978, the clip
 * search of its reference code, which samples tokens where this has their Gram. Groups wider than an eighth of the inputs count the
 * correlations within blocks of that width.
 *
 * `weight` `[outFeatures, inFeatures]`, `inputs` those that it multiplies. Null when a scale does not fit the scale type.
 * Cost: 21 products of outFeatures x inFeatures values with blocks of the Gram: below 2.7 outFeatures inFeatures^2 multiply-adds
 * from 256 inputs on.
 */
export async function clipRanges(
  weight: Matrix<Float32Array>,
  inputs: CorrelatedInputs,
  { groupSize, rule }: { readonly groupSize: number; readonly rule: GridRule },
): Promise<QuantizedWeight | null> {
  const { rows, columns, data } = weight;
  const grids = createGroupGrids(rows, columns, groupSize, rule);
  const codes = new Uint8Array(data.length);
  const widest = Math.min(groupSize, Math.max(LEAST_BLOCK, Math.floor(columns / 8)));
  for (let group = 0; group < grids.groupCount; group++) {
    const from = group * groupSize;
    const to = Math.min(from + groupSize, columns);
    const blocks: InputBlock[] = [];
    for (let start = from; start < to; start += widest) {
      const end = Math.min(start + widest, to);
      blocks.push({ start, end, correlations: correlationBlock(inputs.correlations, start, end) });
    }
    if (!(await chooseRanges(weight, { group, from, to, blocks, roots: inputs.roots }, grids))) return null;
    for (let row = 0; row < rows; row++) {
      const at = row * grids.groupCount + group;
      const grid = { scale: grids.scales[at]!, zeroPoint: grids.zeroPoints?.[at] ?? 2 ** (rule.bits - 1) };
      quantize(data, row * columns + from, row * columns + to, grid, rule.bits, codes);
    }
  }
  const { scales, zeroPoints } = grids;
  const shape = { outFeatures: rows, inFeatures: columns };
  return {
    kind: 'quantized',
    ...shape,
    bits: rule.bits,
    groupSize,
    codes,
    scales,
    scaleType: rule.scaleType,
    zeroPoints,
  };
}

interface InputBlock {
  readonly start: number;
  readonly end: number;
  readonly correlations: Matrix<Float32Array>;
}

interface InputGroup {
  readonly group: number;
  readonly from: number;
  readonly to: number;
  readonly blocks: readonly InputBlock[];
  readonly roots: Float64Array;
}

/** Writes the best grid of one group for every output; false when the full range's does not fit. */
async function chooseRanges(
  { rows, columns, data }: Matrix<Float32Array>,
  { group, from, to, blocks, roots }: InputGroup,
  { rule, groupCount, scales, zeroPoints }: GroupGrids,
): Promise<boolean> {
  const ranges = rangesOf(data, rows, columns, from, to);
  const tried = { scales: new Float64Array(rows), zeroPoints: new Float64Array(rows), errors: new Float64Array(rows) };
  const least = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  const error = new Float32Array(rows * (blocks[0]!.end - blocks[0]!.start));
  const image = new Float32Array(error.length);
  const grid: Grid = { scale: 1, zeroPoint: 0 };
  for (let step = 0; step <= STEPS; step++) {
    const fraction = 1 - (step * (1 - LEAST_FRACTION)) / STEPS;
    for (let row = 0; row < rows; row++) {
      const fits = gridOfRange(ranges[2 * row]! * fraction, ranges[2 * row + 1]! * fraction, rule, grid);
      if (!fits && step === 0) return false;
      tried.scales[row] = grid.scale;
      tried.zeroPoints[row] = grid.zeroPoint;
      tried.errors[row] = fits ? 0 : Number.POSITIVE_INFINITY;
    }
    for (const { start, end, correlations } of blocks) {
      const width = end - start;
      const own = { rows, columns: width, data: error.subarray(0, rows * width) };
      writeErrors(data, { columns, start, width, bits: rule.bits, roots, ...tried }, own.data);
      const output = { ...own, data: image.subarray(0, rows * width) };
      await gemm(own, correlations, { output });
      for (let row = 0, at = 0; row < rows; row++) {
        let sum = 0;
        for (const end = at + width; at < end; at++) sum += own.data[at]! * output.data[at]!;
        tried.errors[row]! += sum;
      }
    }
    for (let row = 0; row < rows; row++) {
      if (!(tried.errors[row]! < least[row]!)) continue;
      least[row] = tried.errors[row]!;
      scales[row * groupCount + group] = tried.scales[row]!;
      if (zeroPoints) zeroPoints[row * groupCount + group] = tried.zeroPoints[row]!;
    }
  }
  return true;
}

/** Lowest and highest of a group's values and 0, `[rows, 2]`. */
function rangesOf(data: Float32Array, rows: number, columns: number, from: number, to: number): Float64Array {
  const ranges = new Float64Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    let [lowest, highest] = [0, 0];
    for (let at = row * columns + from; at < row * columns + to; at++) {
      const value = data[at]!;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
    ranges[2 * row] = lowest;
    ranges[2 * row + 1] = highest;
  }
  return ranges;
}

interface TriedGrids {
  readonly columns: number;
  /** First input, and how many. */
  readonly start: number;
  readonly width: number;
  readonly bits: number;
  readonly roots: Float64Array;
  /** One grid an output. */
  readonly scales: Float64Array;
  readonly zeroPoints: Float64Array;
}

/** Writes (value - its grid point) times the root of its input, `[outputs, width]`. */
function writeErrors(values: Float32Array, tried: TriedGrids, errors: Float32Array): void {
  const { columns, start, width, bits, roots, scales, zeroPoints } = tried;
  const highestCode = (1 << bits) - 1;
  for (let row = 0, at = 0; row < scales.length; row++) {
    const scale = scales[row]!;
    const zeroPoint = zeroPoints[row]!;
    const inverse = 1 / scale;
    const from = row * columns + start;
    for (let offset = 0; offset < width; offset++, at++) {
      const value = values[from + offset]!;
      const code = Math.max(0, Math.min(highestCode, Math.floor(value * inverse + zeroPoint + 0.5)));
      errors[at] = (value - scale * (code - zeroPoint)) * roots[start + offset]!;
    }
  }
}
