import { CompressionError } from '@quern/core';
import { mostLikelyToken } from './mostLikelyToken.ts';

export interface SamplingOptions {
  /** Divides the logits; 0 takes the most likely token. */
  readonly temperature: number;
  /** Only the `topK` most likely tokens are drawn from (of equals the lowest ids); all unless given. */
  readonly topK?: number | undefined;
  /** Only the fewest most likely tokens whose probabilities reach `topP` together are drawn from, at least one; all unless given. */
  readonly topP?: number | undefined;
}

/**
 * Draws the next token from softmax(logits / temperature), cut to `topK` tokens, then to the nucleus of `topP`, and renormalised.
 *
 * Source of the nucleus: Holtzman et al., arXiv:1904.09751, section 3.1; the order of the cuts is that of transformers.
 * A pure function: `uniform` in [0, 1) decides, by the running sum of probabilities over the kept ids.
 *
 * Errors: NON_FINITE_ACTIVATION for NaN, +Infinity, or nothing but -Infinity. Cost: two passes over the vocabulary, with topK
 * a native sort of it, with topP a sort of the tokens above (1 - topP) / vocabularySize.
 */
export function sampleToken(logits: ArrayLike<number>, options: SamplingOptions, uniform: number): number {
  const best = mostLikelyToken(logits);
  const { temperature, topK, topP } = options;
  if (temperature === 0) return best;
  const largest = logits[best]!;
  if (!Number.isFinite(largest)) {
    throw new CompressionError(
      'NON_FINITE_ACTIVATION',
      `The largest logit is ${largest} (token ${best}): no next token can be drawn. Use the original model, or --temperature 0.`,
      { id: best, value: String(largest) },
    );
  }
  // Plain loops: a vocabulary is long, and a small model's step is short.
  const weights = new Float64Array(logits.length);
  for (let id = 0; id < weights.length; id++) weights[id] = Math.exp((logits[id]! - largest) / temperature);
  let ids: ArrayLike<number> = new Uint32Array(weights.length);
  for (let id = 0; id < weights.length; id++) (ids as Uint32Array)[id] = id;
  if (topK !== undefined && topK < logits.length) ids = mostLikely(weights, topK);
  if (topP !== undefined && topP < 1) ids = nucleus(ids, weights, topP);
  return draw(ids, weights, uniform);
}

/** Ids of the `count` largest weights, the lowest of equals. */
function mostLikely(weights: Float64Array, count: number): number[] {
  const limit = weights.toSorted()[weights.length - count]!;
  const above: number[] = [];
  const equal: number[] = [];
  for (let id = 0; id < weights.length; id++) {
    if (weights[id]! > limit) above.push(id);
    else if (weights[id] === limit && equal.length < count) equal.push(id);
  }
  return [...above, ...equal.slice(0, count - above.length)];
}

/** The fewest largest of `ids` whose share of all of them reaches `topP`. */
function nucleus(ids: ArrayLike<number>, weights: Float64Array, topP: number): number[] {
  const total = sumOf(ids, weights);
  // All ids below this limit together have less than 1 - topP: none of them can be needed.
  const limit = ((1 - topP) * total) / ids.length;
  const candidates = Array.from(ids).filter(id => weights[id]! >= limit);
  candidates.sort((left, right) => weights[right]! - weights[left]! || left - right);
  let sum = 0;
  let count = 0;
  while (count < candidates.length && (count === 0 || sum < topP * total)) sum += weights[candidates[count++]!]!;
  return candidates.slice(0, count);
}

/** The id at which the running sum of weights passes `uniform` of their total. */
function draw(ids: ArrayLike<number>, weights: Float64Array, uniform: number): number {
  let left = uniform * sumOf(ids, weights);
  let last = ids[0]!;
  for (let index = 0; index < ids.length; index++) {
    const weight = weights[ids[index]!]!;
    if (weight === 0) continue;
    last = ids[index]!;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

function sumOf(ids: ArrayLike<number>, weights: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < ids.length; index++) sum += weights[ids[index]!]!;
  return sum;
}
