import { CompressionError } from '@quern/core';
import { ratioTooHigh } from '../allocation/ratioTooHigh.ts';
import {
  atomStorageBits,
  atomsInBlock,
  coefficientStorageBits,
  type DictionaryFormat,
  FLOAT_FORMAT,
} from './dictionaryFormat.ts';
import { atomLengthOf, type DictionaryShape, elementsOf, sum, widthsOf } from './dictionaryShape.ts';

/** So that which side comes first does not matter. */
const ROUNDING = 1e-12;

const DENSE_BITS = 16;

/** How much of each part a sparse dictionary has. */
export interface DictionarySize {
  /** Rows of the dictionary. */
  readonly atomCount: number;
  /** Nonzeros of all coefficients of the weight, or of the stack, together. */
  readonly nonzeroCount: number;
}

export interface SizeRequest {
  /** Fraction of the 16-bit weight that is removed. */
  readonly ratio: number;
  /** About k outFeatures / nonzeros. */
  readonly atomsPerNonzero: number;
  /** As many as an atom has values unless given. */
  readonly mostAtoms?: number;
  /** Float16 unless given. */
  readonly format?: DictionaryFormat;
}

/**
 * The atoms and nonzeros that take (1 - ratio) 16 outFeatures inFeatures bits, each bit of the mask counted.
 *
 * Over inputs: the bits of k atoms, a mask of outFeatures k bits, the bits of each nonzero, about k / `atomsPerNonzero` of them an output, and a scale
 * an output where they are on a grid. Over outputs the same with inFeatures for outFeatures, a scale an atom, and on grids as many atoms as fill
 * the blocks that kernels read. What the rounding of k leaves goes to the nonzeros, so that the sum is the same for any
 * `atomsPerNonzero`: the budget, down to a whole 16 bits. The papers leave the mask out (CoSpaDi, arXiv:2509.22075; exact only at 2).
 * Where `siteCount` sites have the atoms in common each counts its share of them; `nonzeroCount` is that of one site. Of a member of a stack
 * it is the size of the whole stack.
 * Errors: INVALID_OPTION for a ratio that one atom and one nonzero an output do not meet, and for one that leaves more than as many atoms as
 * an atom has values, and no zeros, would take.
 */
export function dictionarySize(shape: DictionaryShape, request: SizeRequest): DictionarySize {
  const { siteCount = 1 } = shape;
  const { ratio, atomsPerNonzero, mostAtoms = atomLengthOf(shape), format = FLOAT_FORMAT } = request;
  const elements = elementsOf(shape);
  if (elements.length === 1) checkMost(shape, ratio, format);
  const width = sum(widthsOf(shape));
  const budget = Math.min(stackBits(shape, ratio), mostBits(shape, format));
  const nonzerosAt = (atomCount: number): number => {
    const atomBits = atomStorageBits(shape, atomCount, format) / siteCount;
    const left = budget - atomBits - coefficientStorageBits(shape, { atomCount, nonzeroCount: 0 }, format);
    return Math.floor(left / format.bits);
  };
  let atomCount = Math.min(mostAtoms, firstCount(shape, budget, { atomsPerNonzero, format }));
  // Where there are no zeros left to fill, one atom more takes the rest.
  while (atomCount < mostAtoms && nonzerosAt(atomCount) > width * atomCount) atomCount++;
  for (; atomCount >= 1; atomCount--) {
    const nonzeroCount = Math.min(width * atomCount, nonzerosAt(atomCount));
    if (nonzeroCount >= width) return { atomCount, nonzeroCount };
  }
  throw ratioTooHigh(ratio, leastBits(shape, format), DENSE_BITS * sum(elements));
}

/** About as many atoms as a budget has room for, with their nonzeros. */
function firstCount(
  shape: DictionaryShape,
  budget: number,
  { atomsPerNonzero, format }: { readonly atomsPerNonzero: number; readonly format: DictionaryFormat },
): number {
  const { siteCount = 1, atomsOver } = shape;
  const widths = widthsOf(shape);
  const width = sum(widths);
  // Over outputs a row of the dictionary has one scale, however many atoms there are.
  const some = atomsOver === 'outputs' ? atomLengthOf(shape) : 1;
  const fixedAtomBits = atomStorageBits(shape, 0, format) / siteCount;
  const atomBits = (atomStorageBits(shape, some, format) / siteCount - fixedAtomBits) / some;
  const scaleBits = atomsOver === 'outputs' && format.bits < DENSE_BITS ? 16 * widths.length : 0;
  const bitsPerAtom = atomBits + scaleBits + width + (format.bits * width) / atomsPerNonzero;
  const fixedBits = fixedAtomBits + coefficientStorageBits(shape, { atomCount: 0, nonzeroCount: 0 }, format);
  const count = Math.max(1, Math.floor((budget - fixedBits) / bitsPerAtom));
  const block = atomsInBlock(shape, format);
  return block * Math.max(1, Math.round(count / block));
}

/** Bits of one site's coefficients and its share of atoms that `shape.siteCount` sites have in common. */
export function sharedStorageBits(shape: DictionaryShape, size: DictionarySize): number {
  const atomBits = atomStorageBits(shape, size.atomCount, FLOAT_FORMAT) / (shape.siteCount ?? 1);
  return coefficientStorageBits(shape, size, FLOAT_FORMAT) + atomBits;
}

/** Errors: INVALID_OPTION for a ratio that one atom and one nonzero an output do not meet, or that leaves more than there can be. */
export function checkDictionaryRatio(shape: DictionaryShape, ratio: number, format?: DictionaryFormat): void {
  dictionarySize(shape, { ratio, atomsPerNonzero: 1, ...(format && { format }) });
}

/** The fewest and the most bits that dictionary and coefficients of a weight can take. */
export function dictionaryBitsRange(shape: DictionaryShape, format: DictionaryFormat): { least: number; most: number } {
  return { least: leastBits(shape, format), most: mostBits(shape, format) };
}

/** Whether a ratio can be had, neither too high nor too low for the format. */
export function fitsRatio(shape: DictionaryShape, ratio: number, format: DictionaryFormat = FLOAT_FORMAT): boolean {
  const bits = stackBits(shape, ratio);
  return bits >= leastBits(shape, format) && bits <= mostBits(shape, format);
}

/** What a ratio leaves of all sites of a stack: a whole number of 16 of each. */
export function stackBits(shape: DictionaryShape, ratio: number): number {
  return sum(elementsOf(shape).map(own => bitsLeft(own, ratio)));
}

/**
 * Bits that dictionary and coefficients of this weight take together: a whole number of 16. Of a member of a stack its part of what all take,
 * which is what they were announced to, on grids up to 15 bits less for each. A stack whose format cannot take as many takes what it can.
 * Errors: INVALID_OPTION for a ratio that leaves more than the format can take of this weight alone.
 */
export function dictionaryStorageBits(
  shape: DictionaryShape,
  ratio: number,
  format: DictionaryFormat = FLOAT_FORMAT,
): number {
  const { stackedInputs: _, stackedOutputs: __, ...alone } = shape;
  checkMost(alone, ratio, format);
  const own = shape.outFeatures * shape.inFeatures;
  return Math.min(bitsLeft(own, ratio), (own / sum(elementsOf(shape))) * mostBits(shape, format));
}

function checkMost(shape: DictionaryShape, ratio: number, format: DictionaryFormat): void {
  if (stackBits(shape, ratio) <= mostBits(shape, format)) return;
  const least = leastRatio(shape, format);
  throw new CompressionError(
    'INVALID_OPTION',
    `ratio (${ratio}): dictionary and coefficients of ${format.bits} and ${format.atomBits} bits take less than that; ask for ${least} or more, or for more bits.`,
    { ratio, limit: least },
  );
}

/** The least fraction that can be removed in a format, up to a thousandth: it does not take more bits. 0 in float16. */
export function leastRatio(shape: DictionaryShape, format: DictionaryFormat): number {
  const dense = DENSE_BITS * sum(elementsOf(shape));
  return Math.max(0, Math.ceil(1000 * (1 - mostBits(shape, format) / dense)) / 1000);
}

function bitsLeft(elements: number, ratio: number): number {
  return 16 * Math.floor((1 - ratio) * elements * (1 + ROUNDING));
}

function leastBits(shape: DictionaryShape, format: DictionaryFormat): number {
  const size = { atomCount: 1, nonzeroCount: sum(widthsOf(shape)) };
  return atomStorageBits(shape, 1, format) / (shape.siteCount ?? 1) + coefficientStorageBits(shape, size, format);
}

/** As many atoms as one has values, and no zeros; in float16 no ratio leaves more. */
function mostBits(shape: DictionaryShape, format: DictionaryFormat): number {
  if (format.bits === DENSE_BITS) return Number.POSITIVE_INFINITY;
  const atomCount = atomLengthOf(shape);
  const size = { atomCount, nonzeroCount: sum(widthsOf(shape)) * atomCount };
  return atomStorageBits(shape, atomCount, format) + coefficientStorageBits(shape, size, format);
}
