/** A seeded source of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/** xorshift128 (Marsaglia 2003) seeded through a linear congruential step; normals by the polar method. */
export function createRandom(seed: number): Random {
  const state = new Uint32Array(4);
  let word = seed >>> 0;
  for (let index = 0; index < 4; index++) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    state[index] = word | 1;
  }
  let spare = Number.NaN;
  const uniform = (): number => {
    let t = state[3]!;
    t ^= t << 11;
    t ^= t >>> 8;
    state[3] = state[2]!;
    state[2] = state[1]!;
    state[1] = state[0]!;
    t ^= state[0]! ^ (state[0]! >>> 19);
    state[0] = t;
    return (t >>> 0) / 2 ** 32;
  };
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const value = spare;
      spare = Number.NaN;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      spare = y * factor;
      return x * factor;
    }
  };
  return { uniform, normal };
}
