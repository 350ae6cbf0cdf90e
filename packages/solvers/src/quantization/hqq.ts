import type { QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkWeightShape } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { halfQuadraticGrids } from './halfQuadraticGrids.ts';
import { type HqqOptions, hqqOptions } from './hqqOptions.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { roundOnGrids } from './roundOnGrids.ts';

/**
 * HQQ: grids on which few weights err much; needs no data.
 *
 * Objective: sum |w - scale (code - zeroPoint)|^norm of every group, norm 0.7.
 * Source: Badri and Shaji, Half-Quadratic Quantization of Large Machine Learning Models (2023): errors are split off by soft
 * thresholding, zero points follow in closed form. Differs from it: zero points are integers, since kernels read those, and scales are
 * refitted behind them; each group keeps the best grid that was measured as it ships; see halfQuadraticGrids.
 * `weight`: `[outFeatures, inFeatures]`, finite, not modified.
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT; SOLVER_FAILED for scales that a forced float16 cannot hold.
 * Cost: 6 to 9 passes over each group in the first cache, with a power each; scratch is the result.
 */
export function hqq(weight: Matrix<Float32Array>, options: HqqOptions = {}): QuantizedWeight {
  const { groupSize, norm, iterations, ...wish } = parseOptions(hqqOptions, options, 'hqq');
  const inputsPerGroup = resolveGroupSize(groupSize, weight.columns);
  checkWeightShape(weight);
  return roundOnGrids(
    weight,
    inputsPerGroup,
    { ...wish, shrinkSearch: false },
    halfQuadraticGrids({ norm, iterations }),
  );
}
