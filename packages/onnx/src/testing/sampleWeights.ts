import type { CodebookShape, CodebookWeight, DenseWeight, Factor, LowRankWeight, QuantizedWeight } from '@quern/core';

/** A small deterministic generator of numbers in [0, 1), for tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values in [-1, 1). */
export function randomFloats(count: number, random: () => number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

/** A quantised weight of random codes, scales and (when asymmetric) zero points. */
export function randomQuantized(
  shape: Pick<QuantizedWeight, 'outFeatures' | 'inFeatures' | 'bits' | 'groupSize' | 'scaleType'>,
  symmetric: boolean,
  random: () => number,
): QuantizedWeight {
  const { outFeatures, inFeatures, bits, groupSize, scaleType } = shape;
  const groups = outFeatures * Math.ceil(inFeatures / groupSize);
  const code = () => Math.floor(random() * 2 ** bits);
  const round = scaleType === 'float16' ? Math.f16round : Math.fround;
  return {
    kind: 'quantized',
    ...shape,
    codes: Uint8Array.from({ length: outFeatures * inFeatures }, code),
    scales: Float32Array.from({ length: groups }, () => round((0.1 + random()) / 2 ** bits)),
    zeroPoints: symmetric ? null : Uint8Array.from({ length: groups }, code),
  };
}

/** A dense weight of random values that float16 holds. */
export function randomDense(outFeatures: number, inFeatures: number, random: () => number): DenseWeight {
  const data = randomFloats(outFeatures * inFeatures, random).map(Math.f16round);
  return { kind: 'dense', outFeatures, inFeatures, data };
}

/** How the factors of a random weight are stored: 16 bits are dense. */
export interface FactorFormat {
  readonly bits: number;
  /** `channel` for one scale an output. */
  readonly groupSize: number | 'channel';
  readonly symmetric: boolean;
}

/** A factor of random values. */
export function randomFactor(
  outFeatures: number,
  inFeatures: number,
  format: FactorFormat,
  random: () => number,
): Factor {
  const { bits, symmetric } = format;
  if (bits === 16) return randomDense(outFeatures, inFeatures, random);
  const groupSize = format.groupSize === 'channel' ? inFeatures : Math.min(format.groupSize, inFeatures);
  return randomQuantized({ outFeatures, inFeatures, bits, groupSize, scaleType: 'float16' }, symmetric, random);
}

/** A product of two random factors. */
export function randomLowRank(
  shape: { readonly outFeatures: number; readonly inFeatures: number; readonly rank: number },
  format: FactorFormat,
  random: () => number,
): LowRankWeight {
  const { outFeatures, inFeatures, rank } = shape;
  const left = randomFactor(outFeatures, rank, format, random);
  const right = randomFactor(rank, inFeatures, format, random);
  return { kind: 'lowRank', outFeatures, inFeatures, left, right, sharedRight: null };
}

/** x W^T in float64, `[tokens, outFeatures]`. */
export function denseProduct(
  activations: Float32Array,
  weight: { readonly rows: number; readonly columns: number; readonly data: Float32Array },
): Float64Array {
  const { rows, columns, data } = weight;
  const tokens = activations.length / columns;
  const result = new Float64Array(tokens * rows);
  for (let token = 0; token < tokens; token++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let column = 0; column < columns; column++) {
        sum += activations[token * columns + column]! * data[row * columns + column]!;
      }
      result[token * rows + row] = sum;
    }
  }
  return result;
}

/** |actual - expected| / |expected|, Euclidean norms. */
export function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let index = 0; index < expected.length; index++) {
    difference += (actual[index]! - expected[index]!) ** 2;
    norm += expected[index]! ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

/** A product of random coefficients, about a third of them nonzero, and a dense random dictionary. */
export function randomDictionary(
  { outFeatures, inFeatures, atomCount }: { outFeatures: number; inFeatures: number; atomCount: number },
  random: () => number,
): LowRankWeight {
  const mask = Uint8Array.from({ length: outFeatures * atomCount }, () => Number(random() < 1 / 3));
  const values = randomFloats(
    mask.reduce((sum, bit) => sum + bit, 0),
    random,
  ).map(Math.f16round);
  const left = { kind: 'sparse', outFeatures, inFeatures: atomCount, mask, values } as const;
  const right = randomDense(atomCount, inFeatures, random);
  return { kind: 'lowRank', outFeatures, inFeatures, left, right, sharedRight: null };
}

/** Random codes over random code words. */
export function randomCodebook(shape: CodebookShape, random: () => number): CodebookWeight {
  const { outFeatures, inFeatures, groupSize, codebookCount, codebookBits } = shape;
  const codeCount = outFeatures * Math.ceil(inFeatures / groupSize) * codebookCount;
  return {
    kind: 'codebook',
    ...shape,
    codebooks: randomFloats((codebookCount << codebookBits) * groupSize, random).map(Math.f16round),
    codes: Uint16Array.from({ length: codeCount }, () => Math.floor(random() * 2 ** codebookBits)),
    scales: randomFloats(outFeatures, random).map(Math.f16round),
  };
}
