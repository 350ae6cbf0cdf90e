import { type CorrectedWeight, type LowRankWeight, type QuantizedWeight, reconstruct } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { relativeOutputError } from '../relativeOutputError.ts';

/** A weight, what rounds it and what approximates the rest. */
export interface CorrectionProblem {
  readonly weight: Matrix<Float32Array>;
  readonly inputGram: Matrix<Float64Array>;
  readonly quantize: (target: Matrix<Float32Array>) => Promise<QuantizedWeight>;
  readonly correct: (remainder: Matrix<Float32Array>) => Promise<LowRankWeight>;
  /** Rounds, 1 or more. */
  readonly iterations: number;
}

/**
 * A quantised weight and its correction by turns, for the least ||(W - Q - C) X||_F.
 *
 * Round 1: Q = quantize(W), C = correct(W - Q). Then, beginning with C = correct(W): Q = quantize(W - C), C = correct(W - Q). The best
 * round is kept. Cost of a round: that of both, and outFeatures inFeatures^2 multiply-adds for the error.
 */
export async function alternateCorrection(problem: CorrectionProblem): Promise<CorrectedWeight> {
  const { weight, inputGram, quantize, correct, iterations } = problem;
  const shape = { outFeatures: weight.rows, inFeatures: weight.columns };
  let best: CorrectedWeight | undefined;
  let leastError = Number.POSITIVE_INFINITY;
  let target = weight;
  for (let round = 1; round <= iterations; round++) {
    const base = await quantize(target);
    const correction = await correct(difference(weight, await reconstruct(base)));
    const candidate: CorrectedWeight = { kind: 'corrected', ...shape, base, correction };
    const error = await relativeOutputError(weight, await reconstruct(candidate), inputGram);
    if (best === undefined || error < leastError) {
      best = candidate;
      leastError = error;
    }
    if (round === iterations) break;
    const next = round === 1 ? await correct(weight) : correction;
    target = difference(weight, await reconstruct(next));
  }
  return best!;
}

function difference(weight: Matrix<Float32Array>, other: Matrix<Float32Array>): Matrix<Float32Array> {
  return { ...weight, data: weight.data.map((value, index) => value - other.data[index]!) };
}
