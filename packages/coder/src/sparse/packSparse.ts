import type { CodeLayout } from '../codeLayout.ts';
import { requirePadding } from '../codes/requirePadding.ts';
import { packPlanes } from '../planes/packPlanes.ts';
import { unpackBlocks } from '../unpackBlocks.ts';
import { type SparseFormat, valuesLayout } from './sparseFormat.ts';
import { splitSparse } from './splitSparse.ts';

/**
 * Stores the codes of a packed weight that are mostly one and the same as a bit mask, row by row without padding, low bits first, and bit
 * planes of the others: the inverse of `unpackSparse`.
 *
 * @param bytes container bytes of the layout. Their padding must be `padCode`; it is not stored.
 * @throws RangeError when the padding holds other codes. Cost: three passes; two bytes of scratch a code.
 */
export function packSparse(
  bytes: Uint8Array,
  layout: CodeLayout,
): { readonly format: SparseFormat; readonly payload: Uint8Array } {
  requirePadding(bytes, layout);
  const { mask, indices, ...split } = splitSparse(unpackBlocks(bytes, layout));
  const format: SparseFormat = { ...split, count: indices.length };
  const planes = packPlanes(indices, valuesLayout(indices.length), format.width);
  const payload = new Uint8Array(mask.length + planes.length);
  payload.set(mask);
  payload.set(planes, mask.length);
  return { format, payload };
}
