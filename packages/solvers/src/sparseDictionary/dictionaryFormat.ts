import { quantizedStorageBits, sparseCodeBits, sparseMaskBits } from '@quern/core';
import { resolveGroupSize } from '../quantization/resolveGroupSize.ts';

/** How dictionary and coefficients are stored. */
export interface DictionaryFormat {
  /** Of a nonzero coefficient, 2..8; 16: float16. */
  readonly bits: number;
  /** Of a value of the dictionary, 2..8; 16: float16. */
  readonly atomBits: number;
  /** Inputs of an atom that share a scale, where it is on a grid. */
  readonly groupSize: number | 'channel';
}

/** The format that options ask for. */
export function dictionaryFormat({
  bits,
  atomBits = bits === 16 ? 16 : 4,
  groupSize,
}: Omit<DictionaryFormat, 'atomBits'> & { readonly atomBits?: number | undefined }): DictionaryFormat {
  return { bits, atomBits, groupSize };
}

export const FLOAT_FORMAT: DictionaryFormat = { bits: 16, atomBits: 16, groupSize: 'channel' };

/** Bits of one atom. Errors: INVALID_OPTION for a group size that kernels cannot read. */
export function atomStorageBits(inFeatures: number, { atomBits, groupSize }: DictionaryFormat): number {
  if (atomBits === 16) return 16 * inFeatures;
  const grid = { bits: atomBits, groupSize: resolveGroupSize(groupSize, inFeatures), scaleType: 'float16' } as const;
  return quantizedStorageBits({ ...grid, outFeatures: 1, inFeatures, hasZeroPoints: false });
}

/**
 * Bits of coefficients with so many nonzeros: mask, values, and a scale an output where they are on a grid. `outputs` are those of each site
 * that has coefficients for the same atoms; their codes end with each site, which takes up to 15 bits a site more: they are counted.
 */
export function coefficientStorageBits(
  outputs: readonly number[],
  { atomCount, nonzeroCount }: { readonly atomCount: number; readonly nonzeroCount: number },
  { bits }: DictionaryFormat,
): number {
  const filling = bits === 16 ? 0 : 16 * (outputs.length - 1);
  return outputs.reduce(
    (sum, own) => sum + (bits === 16 ? 0 : 16 * own) + sparseMaskBits(own * atomCount),
    sparseCodeBits(nonzeroCount, bits) + filling,
  );
}
