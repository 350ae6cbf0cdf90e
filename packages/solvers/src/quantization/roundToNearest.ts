import type { QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkWeightShape } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { resolveGroupSize } from './resolveGroupSize.ts';
import { roundOnGrids } from './roundOnGrids.ts';
import { type RoundToNearestOptions, roundToNearestOptions } from './roundToNearestOptions.ts';
import { shrinkGrids } from './shrinkGrids.ts';

/**
 * Rounds every weight to the nearest point of its group's grid; needs no data.
 *
 * Objective: each group's range is covered (or, with shrinkSearch, its summed |error|^2.4 is small); see chooseGrid.
 * Source: the baseline of every quantisation paper; the search is that of the GPTQ reference code.
 * `weight`: `[outFeatures, inFeatures]`, finite, not modified. Scales are float16, or float32 for the whole weight when any
 * of them leaves float16's normal range (see the option scaleType).
 * Errors: INVALID_OPTION, INVALID_SHAPE, NON_FINITE_WEIGHT; SOLVER_FAILED for scales that a forced float16 cannot hold.
 * Cost: one read from memory and one write a weight, three reads from the first cache; up to 80 more for the search; scratch is the result.
 */
export function roundToNearest(weight: Matrix<Float32Array>, options: RoundToNearestOptions = {}): QuantizedWeight {
  const { bits, groupSize, symmetric, shrinkSearch, scaleType } = parseOptions(roundToNearestOptions, options, 'rtn');
  const inputsPerGroup = resolveGroupSize(groupSize, weight.columns);
  checkWeightShape(weight);
  return roundOnGrids(
    weight,
    inputsPerGroup,
    { bits, symmetric, shrinkSearch, scaleType },
    shrinkSearch ? shrinkGrids : null,
  );
}
