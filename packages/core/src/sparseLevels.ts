/** Integers that the codes of a sparse grid stand for: level = lowest + step code. */
export interface SparseLevels {
  readonly step: 1 | 2;
  readonly lowest: number;
  /** Bits of the kernels' codes that hold every level and 0. */
  readonly containerBits: 4 | 8;
}

/**
 * The levels of a sparse grid of so many bits. Zeros are places that the mask leaves out, so the codes need none: they are the odd numbers, half
 * of them negative. 4 and 8 bits are all that a kernel reads, which multiplies by zeros too: 0 is a level there, as in any other grid.
 */
export function sparseLevels(bits: number): SparseLevels {
  const containerBits = bits <= 4 ? 4 : 8;
  if (bits === containerBits) return { step: 1, lowest: -(2 ** (bits - 1)), containerBits };
  return { step: 2, lowest: 1 - 2 ** bits, containerBits };
}
