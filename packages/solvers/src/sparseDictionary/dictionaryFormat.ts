import { containerLayout, quantizedStorageBits, sparseCodeBits, sparseMaskBits } from '@quern/core';
import { resolveGroupSize } from '../quantization/resolveGroupSize.ts';
import { atomLengthOf, type DictionaryShape, sum, widthsOf } from './dictionaryShape.ts';
import type { DictionarySize } from './dictionarySize.ts';

/** How dictionary and coefficients are stored. */
export interface DictionaryFormat {
  /** Of a nonzero coefficient, 2..8; 16: float16. */
  readonly bits: number;
  /** Of a value of the dictionary, 2..8; 16: float16. */
  readonly atomBits: number;
  /** Inputs of an atom, or atoms over an output, that share a scale, where the dictionary is on a grid. */
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

/**
 * Bits of so many atoms, [atomCount, inputs] or [outputs, atomCount]: what a row of that shares scales with lies in it.
 *
 * Errors: INVALID_OPTION for a group size that kernels cannot read.
 */
export function atomStorageBits(
  shape: DictionaryShape,
  atomCount: number,
  { atomBits, groupSize }: DictionaryFormat,
): number {
  const length = atomLengthOf(shape);
  if (atomBits === 16) return 16 * length * atomCount;
  const [outFeatures, inFeatures] = shape.atomsOver === 'outputs' ? [length, atomCount] : [1, length];
  const group = shape.atomsOver === 'outputs' ? groupOfAtoms(groupSize, atomCount) : groupSize;
  const grid = { bits: atomBits, groupSize: resolveGroupSize(group, inFeatures), scaleType: 'float16' } as const;
  const bits = quantizedStorageBits({ ...grid, outFeatures, inFeatures, hasZeroPoints: false });
  return shape.atomsOver === 'outputs' ? bits : atomCount * bits;
}

/** Groups of a dictionary that has as many inputs as there are atoms: as wide as it is at most. */
export function groupOfAtoms(groupSize: DictionaryFormat['groupSize'], atomCount: number): number | 'channel' {
  return groupSize === 'channel' || groupSize >= atomCount ? 'channel' : groupSize;
}

/** Atoms that fill a block of the kernels' codes, of which a part takes as much as the whole: where atoms lie over outputs on a grid. */
export function atomsInBlock(shape: DictionaryShape, { atomBits, groupSize }: DictionaryFormat): number {
  if (shape.atomsOver !== 'outputs' || atomBits === 16) return 1;
  const group = groupOfAtoms(groupSize, atomLengthOf(shape));
  return group === 'channel' ? containerLayout({ bits: atomBits, groupSize: 1, inFeatures: 1 }).kernelBlock : group;
}

/**
 * Bits of coefficients with so many nonzeros: mask, values, and a scale an output, or an atom over outputs, where they are on a grid. Codes end
 * with each site that has coefficients of its own, which takes up to 15 bits a site more: they are counted.
 */
export function coefficientStorageBits(
  shape: DictionaryShape,
  { atomCount, nonzeroCount }: DictionarySize,
  { bits }: DictionaryFormat,
): number {
  const widths = widthsOf(shape);
  const masks = sum(widths.map(own => sparseMaskBits(own * atomCount)));
  if (bits === 16) return masks + sparseCodeBits(nonzeroCount, bits);
  const scales = shape.atomsOver === 'outputs' ? widths.length * atomCount : sum(widths);
  return 16 * scales + masks + sparseCodeBits(nonzeroCount, bits) + 16 * (widths.length - 1);
}
