import type { Grid } from './grid.ts';

/**
 * Writes the nearest code of values[start .. end) to codes[codeStart ..): clamp(round(w / scale) + zeroPoint). Halves go up.
 *
 * Cost: one multiply-add per value; allocates nothing.
 */
export function quantize(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  grid: Grid,
  bits: number,
  codes: Uint8Array,
  codeStart = start,
): void {
  const highestCode = (1 << bits) - 1;
  const inverseScale = 1 / grid.scale;
  const offset = grid.zeroPoint + 0.5;
  const shift = codeStart - start;
  for (let index = start; index < end; index++) {
    const position = values[index]! * inverseScale + offset;
    codes[index + shift] = Math.max(0, Math.min(highestCode, position));
  }
}
