import type { GridRefiner } from './roundOnGrids.ts';

export interface HalfQuadraticSettings {
  readonly norm: number;
  readonly iterations: number;
}

/**
 * The steps of HQQ on every group: of the grids that they pass, the one whose sum |w - reconstruction|^norm is least, the first one
 * included. Every grid is one that ships: its zero point is rounded to an integer, its scale to the scale type.
 *
 * A step shrinks the errors, e' = sign(e) max(0, |e| - |e|^(norm - 1) / beta), takes z = mean(q - (w - s e') / s) rounded into the grid,
 * then goes twice as far as to the scale of least squares, s' = sum (w - s e')(q - z) / sum (q - z)^2; beta grows from 10 by 1 % a step.
 * A grid that stays as it is ends them.
 * Errors count in steps of the grid, so that multiplying the weight changes nothing. The reference counts them in units of the
 * weight, leaves the scale as it was, and takes 20 steps at most; 10 of twice the length come to the same grids. Longer ones, and steps
 * from the best grid so far, make the sum up to 2 % less, by narrower grids with which models lose more: below norm 1 the sum is a means,
 * not an end.
 * All in float32, powers to 7e-5. Cost: a pass over the group in the first cache a step, 6 to 9 of them at 4 to 2 bits.
 */
export function halfQuadraticGrids({ norm, iterations }: HalfQuadraticSettings): GridRefiner {
  return (quantizer, rows, { bits, symmetric, scaleType }) =>
    quantizer.refine(rows, { bits, symmetric, scaleType, norm, iterations });
}
