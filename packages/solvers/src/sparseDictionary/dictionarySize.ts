import { sparseMaskBits } from '@quern/core';
import { ratioTooHigh } from '../allocation/ratioTooHigh.ts';
import type { SiteShape } from '../solver.ts';

/** How much of each part a sparse dictionary has. */
export interface DictionarySize {
  /** Rows of the dictionary. */
  readonly atomCount: number;
  /** Nonzeros of all coefficients of the weight together. */
  readonly nonzeroCount: number;
}

/**
 * The atoms and nonzeros that take (1 - ratio) 16 outFeatures inFeatures bits, each bit of the mask counted.
 *
 * 16 inFeatures k for the dictionary, a mask of outFeatures k bits, 16 for each nonzero, about k / `atomsPerNonzero` of them an
 * output; at most
 * `mostAtoms`, as many as inputs unless it is given. What the rounding of k leaves goes to the nonzeros, so that the sum is the same for any
 * `atomsPerNonzero`: the budget, down to a whole 16 bits. The papers leave the mask out (CoSpaDi, arXiv:2509.22075; exact only at 2).
 * Errors: INVALID_OPTION for a ratio that one atom and one nonzero an output do not meet.
 */
export function dictionarySize(
  shape: SiteShape,
  ratio: number,
  atomsPerNonzero: number,
  mostAtoms: number = shape.inFeatures,
): DictionarySize {
  const { outFeatures, inFeatures } = shape;
  const denseBits = 16 * outFeatures * inFeatures;
  const budget = dictionaryStorageBits(shape, ratio);
  const bitsPerAtom = 16 * inFeatures + outFeatures + (16 * outFeatures) / atomsPerNonzero;
  const wanted = Math.min(mostAtoms, Math.max(1, Math.floor(budget / bitsPerAtom)));
  for (let atomCount = wanted; atomCount >= 1; atomCount--) {
    const left = budget - 16 * inFeatures * atomCount - sparseMaskBits(outFeatures * atomCount);
    const nonzeroCount = Math.min(outFeatures * atomCount, Math.floor(left / 16));
    if (nonzeroCount >= outFeatures) return { atomCount, nonzeroCount };
  }
  throw ratioTooHigh(ratio, 16 * (inFeatures + outFeatures) + sparseMaskBits(outFeatures), denseBits);
}

/** Whether one atom and one nonzero an output meet the ratio. */
export function fitsRatio(shape: SiteShape, ratio: number): boolean {
  const { outFeatures, inFeatures } = shape;
  return dictionaryStorageBits(shape, ratio) >= 16 * (inFeatures + outFeatures) + sparseMaskBits(outFeatures);
}

/** Bits that dictionary and coefficients of this weight may take together: a whole number of 16. */
export function dictionaryStorageBits({ outFeatures, inFeatures }: SiteShape, ratio: number): number {
  return 16 * Math.floor((1 - ratio) * outFeatures * inFeatures);
}
