import { CompressionError } from '@quern/core';
import { ratioTooHigh } from '../allocation/ratioTooHigh.ts';
import type { SiteShape } from '../solver.ts';
import { atomStorageBits, coefficientStorageBits, type DictionaryFormat, FLOAT_FORMAT } from './dictionaryFormat.ts';

/** So that which side comes first does not matter. */
const ROUNDING = 1e-12;

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
 * Where `siteCount` sites have the atoms in common each counts its share of them; `nonzeroCount` is that of one site. Of a member of a stack
 * it is the size of the whole stack.
 * Errors: INVALID_OPTION for a ratio that one atom and one nonzero an output do not meet, and for one that leaves more than as many atoms as
 * inputs and no zeros would take.
 */
export function dictionarySize(shape: SiteShape, request: SizeRequest): DictionarySize {
  const { inFeatures, siteCount = 1 } = shape;
  const { ratio, atomsPerNonzero, mostAtoms = inFeatures, format = FLOAT_FORMAT } = request;
  const outputs = outputsOf(shape);
  if (outputs.length === 1) checkMost(shape, ratio, format);
  const outFeatures = sum(outputs);
  const budget = Math.min(budgetOf(outputs, inFeatures, ratio), mostBits(shape, format));
  const atomBits = atomStorageBits(inFeatures, format) / siteCount;
  const restBits = coefficientStorageBits(outputs, { atomCount: 0, nonzeroCount: 0 }, format);
  const bitsPerAtom = atomBits + outFeatures + (format.bits * outFeatures) / atomsPerNonzero;
  const nonzerosAt = (atomCount: number): number => {
    const left =
      budget - atomBits * atomCount - coefficientStorageBits(outputs, { atomCount, nonzeroCount: 0 }, format);
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
  return (
    coefficientStorageBits([shape.outFeatures], { atomCount, nonzeroCount }, FLOAT_FORMAT) +
    atomBits / (shape.siteCount ?? 1)
  );
}

/** The fewest and the most bits that dictionary and coefficients of a weight can take. */
export function dictionaryBitsRange(shape: SiteShape, format: DictionaryFormat): { least: number; most: number } {
  return { least: leastBits(shape, format), most: mostBits(shape, format) };
}

/** Whether a ratio can be had, neither too high nor too low for the format. */
export function fitsRatio(shape: SiteShape, ratio: number, format: DictionaryFormat = FLOAT_FORMAT): boolean {
  const bits = budgetOf(outputsOf(shape), shape.inFeatures, ratio);
  return bits >= leastBits(shape, format) && bits <= mostBits(shape, format);
}

/**
 * Bits that dictionary and coefficients of this weight take together: a whole number of 16; of a member of a stack its part of what all take,
 * on grids up to 15 bits more than that. A stack whose format cannot take as many takes what it can.
 * Errors: INVALID_OPTION for a ratio that leaves more than the format can take of this weight alone.
 */
export function dictionaryStorageBits(
  shape: SiteShape,
  ratio: number,
  format: DictionaryFormat = FLOAT_FORMAT,
): number {
  const { outFeatures, inFeatures } = shape;
  checkMost({ outFeatures, inFeatures }, ratio, format);
  const part = outFeatures / sum(outputsOf(shape));
  return Math.min(budgetOf([outFeatures], inFeatures, ratio), part * mostBits(shape, format));
}

function checkMost(shape: SiteShape, ratio: number, format: DictionaryFormat): void {
  if (budgetOf(outputsOf(shape), shape.inFeatures, ratio) <= mostBits(shape, format)) return;
  const least = leastRatio(shape, format);
  throw new CompressionError(
    'INVALID_OPTION',
    `ratio (${ratio}): dictionary and coefficients of ${format.bits} and ${format.atomBits} bits take less than that; ask for ${least} or more, or for more bits.`,
    { ratio, limit: least },
  );
}

/** The least fraction that can be removed in a format, up to a thousandth: it does not take more bits. 0 in float16. */
export function leastRatio(shape: SiteShape, format: DictionaryFormat): number {
  const dense = 16 * sum(outputsOf(shape)) * shape.inFeatures;
  return Math.max(0, Math.ceil(1000 * (1 - mostBits(shape, format) / dense)) / 1000);
}

/** Of each site that has coefficients for the atoms: the stack's, or the weight's own. */
function outputsOf({ outFeatures, stackedOutputs }: SiteShape): readonly number[] {
  return stackedOutputs ?? [outFeatures];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function budgetOf(outputs: readonly number[], inFeatures: number, ratio: number): number {
  return sum(outputs.map(own => 16 * Math.floor((1 - ratio) * own * inFeatures * (1 + ROUNDING))));
}

function leastBits(shape: SiteShape, format: DictionaryFormat): number {
  const outputs = outputsOf(shape);
  const size = { atomCount: 1, nonzeroCount: sum(outputs) };
  const atomBits = atomStorageBits(shape.inFeatures, format) / (shape.siteCount ?? 1);
  return atomBits + coefficientStorageBits(outputs, size, format);
}

/** As many atoms as inputs and no zeros; in float16 no ratio leaves more. */
function mostBits(shape: SiteShape, format: DictionaryFormat): number {
  if (format.bits === 16) return Number.POSITIVE_INFINITY;
  const { inFeatures } = shape;
  const outputs = outputsOf(shape);
  const size = { atomCount: inFeatures, nonzeroCount: sum(outputs) * inFeatures };
  return inFeatures * atomStorageBits(inFeatures, format) + coefficientStorageBits(outputs, size, format);
}
