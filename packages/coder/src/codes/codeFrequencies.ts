import { memberProbabilities, SCALE_COUNT } from './codeFamily.ts';

/** Frequencies of a table sum to 2^PRECISION. */
export const PRECISION = 12;
const TOTAL = 1 << PRECISION;

/** Codes that a member finds less likely than this are left out of its table: a place in it would cost more than they do. */
const RAREST = 2 ** -16;

const cache = new Map<number, Uint16Array>();

/**
 * Whole frequencies of the codes 0 .. 2^bits - 1 under a member: multiples of 2^-PRECISION, at least one for every code that is
 * not rarer than 2^-16, none for those that are. They sum to 2^PRECISION. The arrays are shared: do not write to them.
 */
export function codeFrequencies(shape: number, scale: number, bits: number): Uint16Array {
  const key = (shape * SCALE_COUNT + scale) * 16 + bits;
  let frequencies = cache.get(key);
  if (frequencies === undefined) {
    frequencies = roundFrequencies(memberProbabilities(shape, scale, bits));
    cache.set(key, frequencies);
  }
  return frequencies;
}

/** Rounds down, then gives what is left to the codes that gain most by it: cost rises by log2((f + 1) / f) a share of p. */
function roundFrequencies(probabilities: Float64Array): Uint16Array {
  const frequencies = new Uint16Array(probabilities.length);
  let left = TOTAL;
  for (let code = 0; code < probabilities.length; code++) {
    const probability = probabilities[code]!;
    if (probability < RAREST) continue;
    frequencies[code] = Math.max(1, Math.floor(probability * TOTAL));
    left -= frequencies[code]!;
  }
  for (; left > 0; left--) frequencies[bestCode(frequencies, probabilities, 1)]!++;
  for (; left < 0; left++) frequencies[bestCode(frequencies, probabilities, -1)]!--;
  return frequencies;
}

/** The code whose frequency changes with most gain (`step` 1) or least loss (`step` -1). */
function bestCode(frequencies: Uint16Array, probabilities: Float64Array, step: 1 | -1): number {
  let best = -1;
  let bestRatio = 0;
  for (let code = 0; code < frequencies.length; code++) {
    const frequency = frequencies[code]!;
    if (frequency === 0 || frequency + step === 0) continue;
    const ratio = probabilities[code]! / (frequency + step * 0.5);
    if (best < 0 || (step > 0 ? ratio > bestRatio : ratio < bestRatio)) {
      best = code;
      bestRatio = ratio;
    }
  }
  return best;
}
