import { CompressionError, type SparseLevels, sparseLevels } from '@quern/core';

/** Of the scale that reaches the largest value: the first scales that are tried. */
const SHRINKS = [1, 0.9, 0.8, 0.7, 0.6, 0.5];

/** The levels of a sparse grid and its codes. */
export interface CodeGrid extends SparseLevels {
  /** The largest code. */
  readonly top: number;
}

export function codeGrid(bits: number): CodeGrid {
  return { ...sparseLevels(bits), top: 2 ** bits - 1 };
}

export function levelOf(code: number, { lowest, step }: CodeGrid): number {
  return lowest + step * code;
}

/** The code whose level is nearest. */
export function toCode(level: number, { lowest, step, top }: CodeGrid): number {
  return Number.isFinite(level) ? Math.min(top, Math.max(0, Math.round((level - lowest) / step))) : 0;
}

/** A scale in float16. Errors: SOLVER_FAILED above 65504. */
export function toScale(value: number): number {
  const scale = Math.f16round(value);
  if (Number.isFinite(scale)) return scale;
  const message = `A scale of the coefficients is ${value}; the largest float16 is 65504: exclude this site.`;
  throw new CompressionError('SOLVER_FAILED', message, { value, limit: 65504 });
}

/** The scale, of a few, whose grid is nearest to the values; each counts by its weight. */
export function firstScale(values: Float64Array, grid: CodeGrid, weights?: Float64Array): number {
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (const shrink of SHRINKS) {
    const scale = (shrink * largest) / levelOf(grid.top, grid);
    if (scale === 0) return 0;
    let error = 0;
    for (let index = 0; index < values.length; index++) {
      const missed = values[index]! - scale * levelOf(toCode(values[index]! / scale, grid), grid);
      error += (weights?.[index] ?? 1) * missed ** 2;
    }
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}
