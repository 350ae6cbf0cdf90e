import type { GridRule } from './grid.ts';
import type { GridRefiner } from './roundOnGrids.ts';

const FIRST_BETA = 10;
const BETA_GROWTH = 1.01;

const SMALLEST_NORMAL_FLOAT16 = 2 ** -14;
const LARGEST_FLOAT16 = 65504;

export interface HalfQuadraticSettings {
  readonly norm: number;
  readonly iterations: number;
}

/**
 * The steps of HQQ on one group: of the grids that they pass, the one whose sum |w - reconstruction|^norm is least, the first one
 * included. Every grid is one that ships: its zero point is rounded to an integer, its scale to the scale type.
 *
 * A step shrinks the errors, e' = sign(e) max(0, |e| - |e|^(norm - 1) / beta), takes z = mean(q - (w - s e') / s) rounded into the grid,
 * then the scale of least squares, s = sum (w - s e')(q - z) / sum (q - z)^2; beta grows from 10 by 1 % a step. A grid that stays as it
 * is ends them.
 * Errors count in steps of the grid, so that multiplying the weight changes nothing; the reference counts them in units of the
 * weight, and leaves the scale as it was.
 * Cost: a pass over the group an iteration, and one more.
 */
export function halfQuadraticGrid({ norm, iterations }: HalfQuadraticSettings): GridRefiner {
  return (_values, start, end, _range, rule, grid, quantizer) => {
    const highestCode = 2 ** rule.bits - 1;
    const middle = 2 ** (rule.bits - 1);
    let { scale, zeroPoint } = grid;
    let least = Number.POSITIVE_INFINITY;
    let beta = FIRST_BETA;
    for (let iteration = 0; ; iteration++, beta *= BETA_GROWTH) {
      const step = { scale, zeroPoint, highestCode, norm, beta };
      const [sum, steps, squares, targets, products] = quantizer.halfQuadraticSums(start, end - start, step);
      const cost = sum! * Math.abs(scale) ** norm;
      if (cost < least) {
        least = cost;
        grid.scale = scale;
        grid.zeroPoint = zeroPoint;
      }
      if (iteration === iterations) return;
      const count = end - start;
      const mean = zeroPoint + (steps! - targets!) / count;
      const next = rule.symmetric ? middle : Math.max(0, Math.min(highestCode, Math.floor(mean + 0.5)));
      const moved = next - zeroPoint;
      const fitted = (scale * (products! - moved * targets!)) / (squares! - moved * (2 * steps! - moved * count));
      const rounded = rule.scaleType === 'float16' ? Math.f16round(fitted) : Math.fround(fitted);
      if (!fits(rounded, rule) || (rounded === scale && next === zeroPoint)) return;
      scale = rounded;
      zeroPoint = next;
    }
  };
}

function fits(scale: number, { scaleType }: GridRule): boolean {
  const size = Math.abs(scale);
  if (scaleType === 'float32') return size > 0 && Number.isFinite(size);
  return size >= SMALLEST_NORMAL_FLOAT16 && size <= LARGEST_FLOAT16;
}
