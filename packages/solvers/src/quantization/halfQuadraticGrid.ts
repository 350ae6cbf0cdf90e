import type { Grid, GridRule } from './grid.ts';
import type { GridRefiner } from './roundOnGrids.ts';

const FIRST_BETA = 10;
const BETA_GROWTH = 1.01;

const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;
const LARGEST_FLOAT16 = 65504;

/** Cells of the tables of powers between 0 and 1/2. */
const CELLS = 2048;

export interface HalfQuadraticSettings {
  readonly norm: number;
  readonly iterations: number;
}

/**
 * The steps of HQQ on one group: of the grids that they pass, the one whose sum |w - reconstruction|^norm is least, the first one
 * included. Every grid is one that ships: its zero point is rounded to an integer, its scale to the scale type.
 *
 * A step shrinks the errors, e' = sign(e) max(0, |e| - |e|^(norm - 1) / beta), takes z = mean(q - (w - s e') / s) rounded into the grid,
 * then the scale of least squares, s = sum (w - s e')(q - z) / sum (q - z)^2; beta grows from 10 by 1 % a step.
 * Errors count in steps of the grid, so that multiplying the weight changes nothing; the reference counts them in units of the
 * weight, and leaves the scale as it was.
 * Cost: two passes over the group a step.
 */
export function halfQuadraticGrid({ norm, iterations }: HalfQuadraticSettings): GridRefiner {
  const costs = powers(norm);
  const shrinkage = powers(norm - 1);
  return (values, start, end, _range, rule, grid) => {
    const highestCode = 2 ** rule.bits - 1;
    const current: Grid = { scale: grid.scale, zeroPoint: grid.zeroPoint };
    let least = costOf(values, start, end, current, highestCode, costs);
    let beta = FIRST_BETA;
    for (let iteration = 0; iteration < iterations; iteration++, beta *= BETA_GROWTH) {
      const { scale, zeroPoint } = current;
      step(values, start, end, current, rule, beta, shrinkage);
      if (!fits(current.scale, rule) || (current.scale === scale && current.zeroPoint === zeroPoint)) return;
      const cost = costOf(values, start, end, current, highestCode, costs);
      if (cost >= least) continue;
      least = cost;
      grid.scale = current.scale;
      grid.zeroPoint = current.zeroPoint;
    }
  };
}

/** Moves zero point and scale of `grid` by one step. */
function step(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  grid: Grid,
  rule: GridRule,
  beta: number,
  shrinkage: Powers,
): void {
  const highestCode = 2 ** rule.bits - 1;
  const { scale, zeroPoint } = grid;
  const inverseScale = 1 / scale;
  let moved = 0;
  // Sums over q and w - s e', from which those over q - z follow for any z.
  let [codeSum, squareSum, targetSum, productSum] = [0, 0, 0, 0];
  for (let index = start; index < end; index++) {
    const position = values[index]! * inverseScale + zeroPoint;
    const code = Math.max(0, Math.min(highestCode, Math.floor(position + 0.5)));
    const error = position - code;
    const size = Math.abs(error);
    const shrunk = size === 0 ? 0 : Math.max(0, size - powerAt(shrinkage, size) / beta);
    // (w - s e') / s
    const target = position - zeroPoint - (error < 0 ? -shrunk : shrunk);
    moved += code - target;
    codeSum += code;
    squareSum += code * code;
    targetSum += target;
    productSum += target * code;
  }
  const count = end - start;
  const middle = 2 ** (rule.bits - 1);
  const next = rule.symmetric ? middle : Math.max(0, Math.min(highestCode, Math.floor(moved / count + 0.5)));
  const squares = squareSum - 2 * next * codeSum + count * next * next;
  const fitted = (scale * (productSum - next * targetSum)) / squares;
  grid.zeroPoint = next;
  grid.scale = rule.scaleType === 'float16' ? Math.f16round(fitted) : Math.fround(fitted);
}

/** Sum of |w - reconstruction|^norm. */
function costOf(
  values: Float32Array | Float64Array,
  start: number,
  end: number,
  { scale, zeroPoint }: Grid,
  highestCode: number,
  costs: Powers,
): number {
  const inverseScale = 1 / scale;
  let sum = 0;
  for (let index = start; index < end; index++) {
    const position = values[index]! * inverseScale + zeroPoint;
    const code = Math.max(0, Math.min(highestCode, Math.floor(position + 0.5)));
    sum += powerAt(costs, Math.abs(position - code));
  }
  return sum * Math.abs(scale) ** costs.exponent;
}

function fits(scale: number, { scaleType }: GridRule): boolean {
  const size = Math.abs(scale);
  if (scaleType === 'float32') return size > 0 && Number.isFinite(size);
  return size >= SMALLEST_NORMAL_FLOAT16 && size <= LARGEST_FLOAT16;
}

interface Powers {
  readonly exponent: number;
  /** x^exponent for x = 0, 1/4096, .. 1/2. */
  readonly table: Float64Array;
}

function powers(exponent: number): Powers {
  // What shrinks errors to 0 need not be exact near 0.
  const table = Float64Array.from({ length: CELLS + 2 }, (_, cell) => Math.max(cell, 1e-3) / (2 * CELLS));
  return { exponent, table: table.map(size => size ** exponent) };
}

/** By straight lines between the table's values; exact beyond them. */
function powerAt({ exponent, table }: Powers, size: number): number {
  if (!(size <= 0.5)) return size ** exponent;
  const at = size * 2 * CELLS;
  const below = Math.floor(at);
  return table[below]! + (at - below) * (table[below + 1]! - table[below]!);
}
