import type { Rope, RopeScaling } from './decoderConfig.ts';

/**
 * Radians that each pair of head features turns per position: theta^(-2 i / size), i = 0 .. size/2 - 1, stretched
 * by the scaling.
 *
 * Source: `modeling_rope_utils.py` of transformers (`_compute_linear_scaling_rope_parameters`,
 * `_compute_llama3_parameters`, `_compute_longrope_parameters`). Differs in working in float64.
 *
 * @returns `[size / 2]`
 */
export function inverseFrequencies({ size, theta, scaling }: Rope): Float64Array {
  return Float64Array.from({ length: size / 2 }, (_, pair) => stretch(theta ** ((-2 * pair) / size), pair, scaling));
}

function stretch(frequency: number, pair: number, scaling: RopeScaling): number {
  switch (scaling.type) {
    case 'default':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'longrope':
      return frequency / scaling.factors[pair]!;
    case 'llama3': {
      const { factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength } = scaling;
      const turns = (originalContextLength * frequency) / (2 * Math.PI); // within the original context
      if (turns < lowFrequencyFactor) return frequency / factor;
      if (turns > highFrequencyFactor) return frequency;
      const kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
      return ((1 - kept) * frequency) / factor + kept * frequency;
    }
  }
}
