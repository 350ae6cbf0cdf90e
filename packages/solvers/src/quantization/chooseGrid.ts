import type { Grid, GridRule } from './grid.ts';

const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;
const LARGEST_FLOAT16 = 65504;
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/** The shrink search of the GPTQ reference code: 100 steps over the full range, down to a fifth of it. */
const SHRINK_STEPS = 100;
const SMALLEST_FRACTION = 0.2;
const SHRINK_NORM = 2.4;

/**
 * Chooses the grid of one group, values[start .. end), and writes it to `grid`.
 *
 * Asymmetric: the range is widened to include 0, scale = (highest - lowest) / (2^bits - 1), zeroPoint = round(-lowest / scale).
 * Symmetric: scale = -extreme / 2^(bits-1), signed, so that the value of largest magnitude is code 0 whatever its sign and
 * all codes are in use; the far end of the other sign may clip by one code. Measured on the linear weights of four small
 * language models, groups of 32, this has the least squared error of six rules at 2 and 3 bits; at 4 bits the error is
 * 11 % below that of max|w| / (2^(bits-1) - 1).
 * With shrinkSearch: of the ranges 1.00, .99, .. .21 times the full one, the least sum |w - reconstruction|^2.4.
 *
 * A group of zeros gets scale 1. Returns false, leaving `grid` unspecified, when the scale leaves float16's normal range
 * [2^-14, 65504] and `rule.scaleType` is float16; float32 always fits.
 * Cost: two reads per value, times up to 80 for the search; allocates nothing.
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
  if (rule.shrinkSearch && lowest < highest) shrink(values, start, end, lowest, highest, rule, grid);
  return true;
}

/** Writes the grid whose codes cover lowest .. highest; false when its scale does not fit the scale type. */
function gridOfRange(lowest: number, highest: number, rule: GridRule, grid: Grid): boolean {
  const middle = 1 << (rule.bits - 1);
  const highestCode = 2 * middle - 1;
  const extreme = -lowest >= highest ? lowest : highest;
  const exact = rule.symmetric ? -extreme / middle : (highest - lowest) / highestCode;
  const scale = rule.scaleType === 'float16' ? roundToFloat16(exact) : Math.fround(exact);
  if (scale === 0) {
    // All zeros, or so small that float32 has no scale for it.
    grid.scale = 1;
    grid.zeroPoint = rule.symmetric ? middle : 0;
    return exact === 0 || rule.scaleType === 'float32';
  }
  grid.scale = scale;
  grid.zeroPoint = rule.symmetric ? middle : Math.min(highestCode, Math.floor(-lowest / scale + 0.5));
  const magnitude = Math.abs(scale);
  if (rule.scaleType === 'float16') return magnitude >= SMALLEST_NORMAL_FLOAT16 && magnitude <= LARGEST_FLOAT16;
  // Rounding the zero point can push the far code of a huge range past float32.
  const reach = Math.max(grid.zeroPoint, highestCode - grid.zeroPoint);
  if (magnitude * reach > LARGEST_FLOAT32)
    grid.scale = Math.fround(Math.sign(scale) * 0.999999 * (LARGEST_FLOAT32 / reach));
  return true;
}

/** Nearest value with the 11 significant bits of float16, by Veltkamp's splitting; Math.f16round takes ten times as long. */
function roundToFloat16(value: number): number {
  const shifted = value * (2 ** 42 + 1);
  return shifted - (shifted - value);
}

function shrink(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  lowest: number,
  highest: number,
  rule: GridRule,
  grid: Grid,
): void {
  let bestError = Number.POSITIVE_INFINITY;
  let bestScale = grid.scale;
  let bestZeroPoint = grid.zeroPoint;
  for (let step = 0; step < (1 - SMALLEST_FRACTION) * SHRINK_STEPS; step++) {
    const fraction = 1 - step / SHRINK_STEPS;
    if (!gridOfRange(lowest * fraction, highest * fraction, rule, grid)) break;
    const error = gridError(values, start, end, grid, rule.bits, bestError);
    if (error >= bestError) continue;
    bestError = error;
    bestScale = grid.scale;
    bestZeroPoint = grid.zeroPoint;
  }
  grid.scale = bestScale;
  grid.zeroPoint = bestZeroPoint;
}

/** Sum of |w - reconstruction|^2.4, given up once it passes `limit`. */
function gridError(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  grid: Grid,
  bits: number,
  limit: number,
): number {
  const highestCode = (1 << bits) - 1;
  const { scale, zeroPoint } = grid;
  const inverseScale = 1 / scale;
  let sum = 0;
  for (let index = start; index < end && sum < limit; index++) {
    const value = values[index]!;
    const code = Math.floor(value * inverseScale + zeroPoint + 0.5);
    const clamped = Math.max(0, Math.min(highestCode, code));
    sum += Math.abs(value - scale * (clamped - zeroPoint)) ** SHRINK_NORM;
  }
  return sum;
}
