/**
 * Uniform numbers in [0, 1), multiples of 2^-32; the same seed gives the same ones on every machine.
 *
 * Source: mulberry32 by Tommy Ettinger, a public-domain generator with 32 bits of state. For sampling, not for secrets.
 * `seed`: a whole number, of which the low 32 bits count.
 */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
