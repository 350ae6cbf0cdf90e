import type { InputStatistics } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { checkStatistics } from '../checkStatistics.ts';
import { checkWeight } from '../checkWeight.ts';
import { parseOptions } from '../parseOptions.ts';
import { withoutInputs } from '../quantization/withoutInputs.ts';
import { sampleRows } from '../sampleRows.ts';
import { deadZoneAt } from './deadZoneAt.ts';
import { quantizeOnSteps } from './quantizeOnSteps.ts';
import { rootMeanSquare } from './rootMeanSquare.ts';
import { stepProblem } from './stepProblem.ts';
import { storedRate } from './storedRate.ts';
import { type WatersicOptions, watersicOptions } from './watersicOptions.ts';
import { widenSteps } from './widenSteps.ts';

/** One rate of a site and what it loses there. */
export interface RatePoint {
  /** Stored bits per weight. */
  readonly bits: number;
  /** tr(E H E^T) / tr(W H W^T) for the damped Hessian H. */
  readonly loss: number;
}

/** Rows that stand for the weight. */
const SAMPLED_ROWS = 128;
/** Bits at which a Gaussian weight with independent inputs would be quantised, about. */
const NOMINAL_BITS = [0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 6.5];

/**
 * What a site loses at falling rates, from a sample of its rows: points by rising bits.
 *
 * Errors: as `watersic`. Cost: that of U, and ten recursions on 128 rows: inFeatures^2 x 640 multiply-adds.
 */
export async function rateCurve(
  weight: Matrix<Float32Array>,
  statistics: InputStatistics | null,
  options: WatersicOptions,
): Promise<RatePoint[]> {
  const { dampingFraction, deadZone, inputScaleBits } = parseOptions(watersicOptions, options, 'watersic');
  checkWeight(weight);
  const { blocks, steps, dead } = await stepProblem(checkStatistics(statistics, weight.columns), dampingFraction);
  const sample = withoutInputs(sampleRows(weight, SAMPLED_ROWS), dead);
  const size = rootMeanSquare(sample);
  if (size === 0) return [{ bits: 0, loss: 0 }];
  // With steps so large that every code is zero, the recursion's loss is that of leaving the weight out.
  const { loss: whole } = await quantizeOnSteps(sample, { blocks, steps: steps.map(() => 1e30), bits: 8, deadZone: 0 });
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  const points: RatePoint[] = [];
  for (const nominal of NOMINAL_BITS) {
    const step = size * 2 ** (2.05 - nominal);
    const grid = {
      blocks,
      steps: widenSteps([{ weight: sample, step }], steps).map(own => own * step),
      bits: 8,
      deadZone: deadZone ?? deadZoneAt(nominal),
    } as const;
    const { codes, loss } = await quantizeOnSteps(sample, grid);
    const bits = storedRate({ codes, bits: 8, ...shape }, { bits: nominal, inputScaleBits });
    points.push({ bits, loss: loss / whole });
  }
  return points.toSorted((left, right) => left.bits - right.bits);
}
