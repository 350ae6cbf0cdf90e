import type { QuantizedWeight } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { gptq } from '../quantization/gptq.ts';
import { roundToNearest } from '../quantization/roundToNearest.ts';
import { diagonalSum } from './diagonalSum.ts';
import type { FactorFormat } from './factorStorageBits.ts';

/**
 * A factor on a grid with float16 scales, so that its size is known before it exists: by GPTQ with the Gram of its inputs,
 * rounded to nearest where there is none or where it is 0.
 */
export async function quantizeFactor(
  factor: Matrix<Float64Array>,
  gram: Matrix<Float64Array> | null,
  { bits, groupSize }: FactorFormat,
  dampingFraction = 0.01,
): Promise<QuantizedWeight> {
  const values = { ...factor, data: Float32Array.from(factor.data) };
  const options = { bits, groupSize, scaleType: 'float16' } as const;
  if (gram === null || diagonalSum(gram) === 0) return roundToNearest(values, options);
  // GPTQ reads the Gram alone, whatever its scale.
  const meanAbsolute = new Float64Array(factor.columns);
  return gptq(values, { inputGram: gram, tokenCount: 1, meanAbsolute }, { ...options, dampingFraction });
}
