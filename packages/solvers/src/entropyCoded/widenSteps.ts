import type { Matrix } from '@quern/linalg';

/** Codes on either side that the largest weight of an input may need: what errors add still fits 8 bits. */
const LARGEST_CODE = 100;

/** A weight and the factor by which the steps will be multiplied for it, about. */
export interface SteppedWeight {
  readonly weight: Matrix<Float32Array>;
  readonly step: number;
}

/**
 * Steps `[inFeatures]`, raised where the weights of an input would need codes that 8 bits do not hold. Clipping there would lose
 * more than a step that is too wide: all codes of an input would pay for waterfilling's small step.
 */
export function widenSteps(weights: readonly SteppedWeight[], steps: Float64Array): Float64Array {
  const widened = steps.slice();
  for (const { weight, step } of weights) {
    if (step === 0) continue;
    largestByInput(weight).forEach((largest, input) => {
      widened[input] = Math.max(widened[input]!, largest / (LARGEST_CODE * step));
    });
  }
  return widened;
}

/** The least factor of the steps at which no code leaves 8 bits before errors are carried. */
export function leastStep(weight: Matrix<Float32Array>, steps: Float64Array): number {
  return largestByInput(weight).reduce((least, largest, input) => Math.max(least, largest / (127 * steps[input]!)), 0);
}

function largestByInput({ columns, data }: Matrix<Float32Array>): Float64Array {
  const largest = new Float64Array(columns);
  for (let start = 0; start < data.length; start += columns) {
    for (let input = 0; input < columns; input++) {
      const size = Math.abs(data[start + input]!);
      if (size > largest[input]!) largest[input] = size;
    }
  }
  return largest;
}
