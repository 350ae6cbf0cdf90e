import { CompressionError } from '@quern/core';
import { ratioTooHigh } from '../allocation/ratioTooHigh.ts';
import type { SiteShape } from '../solver.ts';
import { atomStorageBits, coefficientStorageBits, type DictionaryFormat, FLOAT_FORMAT } from './dictionaryFormat.ts';

/** How much of each part a sparse dictionary has. */
export interface DictionarySize {
  /** Rows of the dictionary. */
  readonly atomCount: number;
  /** Nonzeros of all coefficients of the weight together. */
  readonly nonzeroCount: number;
}

export interface SizeRequest {
  /** Fraction of the 16-bit weight that is removed. */
  readonly ratio: number;
  /** About k outFeatures / nonzeros. */
  readonly atomsPerNonzero: number;
  /** As many as inputs unless given. */
  readonly mostAtoms?: number;
  /** Float16 unless given. */
  readonly format?: DictionaryFormat;
}

/**
 * The atoms and nonzeros that take (1 - ratio) 16 outFeatures inFeatures bits, each bit of the mask counted.
 *
 * The bits of k atoms, a mask of outFeatures k bits, the bits of each nonzero, about k / `atomsPerNonzero` of them an output, and a scale an output
 * where they are on a grid. What the rounding of k leaves goes to the nonzeros, so that the sum is the same for any
 * `atomsPerNonzero`: the budget, down to a whole 16 bits. The papers leave the mask out (CoSpaDi, arXiv:2509.22075; exact only at 2).
 * Where `siteCount` sites have the atoms in common each counts its share of them; `nonzeroCount` is that of one site.
 * Errors: INVALID_OPTION for a ratio that one atom and one nonzero an output do not meet, and for one that leaves more than as many atoms as
 * inputs and no zeros would take.
 */
export function dictionarySize(shape: SiteShape, request: SizeRequest): DictionarySize {
  const { outFeatures, inFeatures, siteCount = 1 } = shape;
  const { ratio, atomsPerNonzero, mostAtoms = inFeatures, format = FLOAT_FORMAT } = request;
  const budget = dictionaryStorageBits(shape, ratio, format);
  const atomBits = atomStorageBits(inFeatures, format) / siteCount;
  const restBits = coefficientStorageBits(shape, { atomCount: 0, nonzeroCount: 0 }, format);
  const bitsPerAtom = atomBits + outFeatures + (format.bits * outFeatures) / atomsPerNonzero;
  const nonzerosAt = (atomCount: number): number => {
    const left = budget - atomBits * atomCount - coefficientStorageBits(shape, { atomCount, nonzeroCount: 0 }, format);
    return Math.floor(left / format.bits);
  };
  let atomCount = Math.min(mostAtoms, Math.max(1, Math.floor((budget - restBits) / bitsPerAtom)));
  // Where there are no zeros left to fill, one atom more takes the rest.
  while (atomCount < mostAtoms && nonzerosAt(atomCount) > outFeatures * atomCount) atomCount++;
  for (; atomCount >= 1; atomCount--) {
    const nonzeroCount = Math.min(outFeatures * atomCount, nonzerosAt(atomCount));
    if (nonzeroCount >= outFeatures) return { atomCount, nonzeroCount };
  }
  throw ratioTooHigh(ratio, leastBits(shape, format), 16 * outFeatures * inFeatures);
}

/** Bits of one site's coefficients and its share of atoms that `shape.siteCount` sites have in common. */
export function sharedStorageBits(shape: SiteShape, { atomCount, nonzeroCount }: DictionarySize): number {
  const atomBits = atomCount * atomStorageBits(shape.inFeatures, FLOAT_FORMAT);
  return coefficientStorageBits(shape, { atomCount, nonzeroCount }, FLOAT_FORMAT) + atomBits / (shape.siteCount ?? 1);
}

/** The fewest and the most bits that dictionary and coefficients of a weight can take. */
export function dictionaryBitsRange(shape: SiteShape, format: DictionaryFormat): { least: number; most: number } {
  return { least: leastBits(shape, format), most: mostBits(shape, format) };
}

/** Whether a ratio can be had, neither too high nor too low for the format. */
export function fitsRatio(shape: SiteShape, ratio: number, format: DictionaryFormat = FLOAT_FORMAT): boolean {
  const bits = budgetOf(shape, ratio);
  return bits >= leastBits(shape, format) && bits <= mostBits(shape, format);
}

/**
 * Bits that dictionary and coefficients of this weight take together: a whole number of 16. Errors: INVALID_OPTION for a ratio that
 * leaves more than the format can take.
 */
export function dictionaryStorageBits(
  shape: SiteShape,
  ratio: number,
  format: DictionaryFormat = FLOAT_FORMAT,
): number {
  const budget = budgetOf(shape, ratio);
  if (budget <= mostBits(shape, format)) return budget;
  const least = leastRatio(shape, format);
  throw new CompressionError(
    'INVALID_OPTION',
    `ratio (${ratio}): dictionary and coefficients of ${format.bits} and ${format.atomBits} bits take less than that; ask for ${least} or more, or for more bits.`,
    { ratio, limit: least },
  );
}

/** The least fraction that can be removed in a format, up to a thousandth: it does not take more bits. 0 in float16. */
export function leastRatio(shape: SiteShape, format: DictionaryFormat): number {
  const dense = 16 * shape.outFeatures * shape.inFeatures;
  return Math.max(0, Math.ceil(1000 * (1 - mostBits(shape, format) / dense)) / 1000);
}

function budgetOf({ outFeatures, inFeatures }: SiteShape, ratio: number): number {
  return 16 * Math.floor((1 - ratio) * outFeatures * inFeatures);
}

function leastBits(shape: SiteShape, format: DictionaryFormat): number {
  const size = { atomCount: 1, nonzeroCount: shape.outFeatures };
  return (
    atomStorageBits(shape.inFeatures, format) / (shape.siteCount ?? 1) + coefficientStorageBits(shape, size, format)
  );
}

/** As many atoms as inputs and no zeros; in float16 no ratio leaves more. */
function mostBits(shape: SiteShape, format: DictionaryFormat): number {
  if (format.bits === 16) return Number.POSITIVE_INFINITY;
  const { outFeatures, inFeatures } = shape;
  const size = { atomCount: inFeatures, nonzeroCount: outFeatures * inFeatures };
  return inFeatures * atomStorageBits(inFeatures, format) + coefficientStorageBits(shape, size, format);
}
