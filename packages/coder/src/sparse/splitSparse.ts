/** Codes of which one is by far the most frequent: where it does not stand, and what stands there. */
export interface SparseCodes {
  /** The most frequent code. */
  readonly zero: number;
  /** code = lowest + step index. */
  readonly lowest: number;
  readonly step: number;
  /** Bits of an index, 1 to 8. */
  readonly width: number;
  /** A bit for each code, 1 where it is not `zero`, low bits first. */
  readonly mask: Uint8Array<ArrayBuffer>;
  /** One for each 1 of the mask, in its order. */
  readonly indices: Uint8Array<ArrayBuffer>;
}

/** Splits codes into a mask and the codes that are not the most frequent one. Cost: two passes. */
export function splitSparse(codes: Uint8Array): SparseCodes {
  const counts = new Uint32Array(256);
  for (const code of codes) counts[code]!++;
  const zero = counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0));
  const used = [...counts.keys()].filter(code => code !== zero && counts[code]! > 0);
  const lowest = used[0] ?? 0;
  const step = used.reduce((common, code) => greatestDivisor(common, code - lowest), 0) || 1;
  const width = Math.max(1, 32 - Math.clz32(((used.at(-1) ?? lowest) - lowest) / step));
  const mask = new Uint8Array(Math.ceil(codes.length / 8));
  const indices = new Uint8Array(codes.length - counts[zero]!);
  let next = 0;
  for (let place = 0; place < codes.length; place++) {
    const code = codes[place]!;
    if (code === zero) continue;
    mask[place >> 3]! |= 1 << (place & 7);
    indices[next++] = (code - lowest) / step;
  }
  return { zero, lowest, step, width, mask, indices };
}

function greatestDivisor(first: number, second: number): number {
  return second === 0 ? first : greatestDivisor(second, first % second);
}
