import type { GridRefiner } from './roundOnGrids.ts';

export interface HalfQuadraticSettings {
  readonly norm: number;
  readonly iterations: number;
}

/**
 * The steps of HQQ on every group: of the grids that they pass, the one whose sum |w - reconstruction|^norm is least, the first one
 * included. Every grid is one that ships: its zero point is rounded to an integer, its scale to the scale type.
 *
 * A step shrinks the errors, e' = sign(e) max(0, |e| - |e|^(norm - 1) / beta), and takes z = mean(q - (w - s e') / s) rounded into the
 * grid, then the scale of least squares, s' = sum (w - s e')(q - z) / sum (q - z)^2; beta grows from 10 by 1 % a step. Shrinking leaves
 * about a tenth of a grid step of each error to be fitted, so it goes eight times as far as to s'. Each step starts from the best grid
 * so far; one in vain is followed by one of a third of its length, and the second in a row ends them, as does a grid that stays as it is.
 * Errors count in steps of the grid, so that multiplying the weight changes nothing. The reference counts them in units of the
 * weight, leaves the scale as it was, and goes on from every step. 20 plain steps on end reach sums that are 0.5 % to 1.7 % larger on
 * the weights of two small language models, groups of 32, 4 and 2 bits.
 * All in float32, powers to 7e-5. Cost: a pass over the group in the first cache a step, 5 to 7 of them at 4 to 2 bits.
 */
export function halfQuadraticGrids({ norm, iterations }: HalfQuadraticSettings): GridRefiner {
  return (quantizer, rows, { bits, symmetric, scaleType }) =>
    quantizer.refine(rows, { bits, symmetric, scaleType, norm, iterations });
}
