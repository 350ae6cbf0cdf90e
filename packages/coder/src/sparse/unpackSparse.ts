import { type CodeLayout, paddedColumns } from '../codeLayout.ts';
import { CodeStreamError } from '../codes/codeStreamError.ts';
import { packBlocks } from '../packBlocks.ts';
import { unpackPlanes } from '../planes/unpackPlanes.ts';
import { type SparseFormat, valuesLayout } from './sparseFormat.ts';

/**
 * Unpacks what `packSparse` made of a packed weight into container bytes, padding and all.
 *
 * @param payload mask and planes, from anywhere.
 * @param target gets the container bytes: its length must be that of the layout. Undefined where the call throws.
 * @throws CodeStreamError when the payload has another length, the mask another number of ones, or a code does not fit the container.
 * Cost: three passes; two bytes of scratch a code.
 */
export function unpackSparse(payload: Uint8Array, layout: CodeLayout, format: SparseFormat, target: Uint8Array): void {
  const { rows, columns, bits } = layout;
  const { zero, lowest, step, width, count } = format;
  if (target.length !== (rows * paddedColumns(layout) * bits) / 8)
    throw new RangeError(`${target.length} bytes to unpack ${rows} rows of ${columns} codes of ${bits} bits into`);
  const places = rows * columns;
  const maskLength = Math.ceil(places / 8);
  if (count > places) throw new CodeStreamError(`${count} values in ${places} places`);
  const indices = new Uint8Array(count);
  unpackPlanes(payload.subarray(maskLength), valuesLayout(count), width, indices);
  const codes = new Uint8Array(places).fill(zero);
  const limit = 2 ** bits;
  const next = forEachSet(payload.subarray(0, maskLength), places, (place, value) => {
    const code = lowest + step * (indices[value] ?? 0);
    if (code >= limit) throw new CodeStreamError(`a code is wider than ${bits} bits`);
    codes[place] = code;
  });
  if (next !== count) throw new CodeStreamError(`a mask of ${next} ones, not ${count}`);
  target.set(packBlocks(codes, layout));
}

/** Calls for each 1 among the first `count` bits, with its place and how many were before it; how many there are. */
export function forEachSet(mask: Uint8Array, count: number, visit: (place: number, before: number) => void): number {
  let before = 0;
  for (let place = 0; place < count; place++) {
    if (((mask[place >> 3]! >> (place & 7)) & 1) === 1) visit(place, before++);
  }
  return before;
}
