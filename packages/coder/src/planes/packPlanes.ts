import type { CodeLayout } from '../codeLayout.ts';
import { requirePadding } from '../codes/requirePadding.ts';
import { unpackBlocks } from '../unpackBlocks.ts';
import { planeBytes, planeWidths } from './planeLayout.ts';

/** Least width at which `packPlanes` takes these codes: their range decides, not their size. */
export function narrowestPlanes(bytes: Uint8Array, layout: CodeLayout): number {
  const { lowest, highest } = rangeOf(unpackBlocks(bytes, layout));
  return Math.max(1, 32 - Math.clz32(highest - lowest));
}

/**
 * Stores the codes of a packed weight at `width` bits each, as bit planes: the inverse of `unpackPlanes`.
 *
 * One byte with the lowest code, which is subtracted, then planes of 8, 4, 2 or 1 bits that add up to the width, lowest bits
 * first. A plane has its bits of all codes, row by row without padding, low bits first, the last byte filled with zeros.
 *
 * @param bytes container bytes of the layout. Their padding must be `padCode`; it is not stored.
 * @param width 1 to 8.
 * @throws RangeError when the codes span more than 2^width values or the padding holds other codes.
 * Cost: one pass a plane; a byte of scratch a code.
 */
export function packPlanes(bytes: Uint8Array, layout: CodeLayout, width: number): Uint8Array {
  const planes = new Uint8Array(planeBytes(layout, width));
  const codes = unpackBlocks(bytes, layout);
  requirePadding(bytes, layout);
  const { lowest, highest } = rangeOf(codes);
  if ((highest - lowest) >> width !== 0) {
    throw new RangeError(`codes from ${lowest} to ${highest} do not fit in planes of ${width} bits`);
  }
  planes[0] = lowest;
  let start = 1;
  let shift = 0;
  for (const plane of planeWidths(width)) {
    const mask = (1 << plane) - 1;
    const perByte = 8 / plane;
    for (let index = 0, at = start; index < codes.length; at++) {
      const end = Math.min(index + perByte, codes.length);
      let byte = 0;
      for (let bit = 0; index < end; index++, bit += plane) byte |= (((codes[index]! - lowest) >> shift) & mask) << bit;
      planes[at] = byte;
    }
    start += Math.ceil(codes.length / perByte);
    shift += plane;
  }
  return planes;
}

function rangeOf(codes: Uint8Array): { readonly lowest: number; readonly highest: number } {
  let lowest = codes[0] ?? 0;
  let highest = lowest;
  for (const code of codes) {
    if (code < lowest) lowest = code;
    if (code > highest) highest = code;
  }
  return { lowest, highest };
}
