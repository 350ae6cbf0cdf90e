import { bytesPerRow, type CodeLayout, paddedColumns } from '../codeLayout.ts';
import { CodeStreamError } from '../codes/codeStreamError.ts';
import { packBlocks } from '../packBlocks.ts';
import { planeBytes, planeWidths, rowsAtOnce } from './planeLayout.ts';

/**
 * Unpacks what `packPlanes` made of a packed weight into container bytes, padding and all.
 *
 * @param payload the planes, from anywhere.
 * @param layout where codes lie in `target`, as it was for the packer.
 * @param width as it was for the packer.
 * @param target gets the container bytes: its length must be that of the layout. Undefined where the call throws.
 * @throws CodeStreamError when the payload has another length or a code does not fit the container. RangeError when layout,
 * width or target are out of range.
 * Cost: one pass a plane and one more; 64 KB of scratch, eight rows for wide ones.
 */
export function unpackPlanes(payload: Uint8Array, layout: CodeLayout, width: number, target: Uint8Array): void {
  const { rows, columns, bits, padCode } = layout;
  const rowBytes = bytesPerRow(paddedColumns(layout), bits);
  if (target.length !== rows * rowBytes)
    throw new RangeError(`${target.length} bytes to unpack ${rows * rowBytes} into`);
  const expected = planeBytes(layout, width);
  if (payload.length !== expected) throw new CodeStreamError(`planes of ${payload.length} bytes, not ${expected}`);
  if (columns === 0) return;
  const chunkRows = rowsAtOnce(columns);
  const scratch = new Uint8Array(Math.min(rows, chunkRows) * columns);
  // Most payloads cannot hold a code that is too wide: then nobody need look.
  const mayOverflow = payload[0]! + (1 << width) > 1 << bits;
  for (let start = 0; start < rows; start += chunkRows) {
    const count = Math.min(chunkRows, rows - start);
    const codes = scratch.subarray(0, count * columns);
    codes.fill(payload[0]!);
    let planeStart = 1;
    let shift = 0;
    for (const plane of planeWidths(width)) {
      const from = planeStart + (start * columns * plane) / 8;
      addPlane(codes, payload.subarray(from, from + Math.ceil((codes.length * plane) / 8)), plane, shift);
      planeStart += Math.ceil((rows * columns * plane) / 8);
      shift += plane;
    }
    if (mayOverflow && codes.some(code => code >> bits !== 0))
      throw new CodeStreamError(`a code is wider than ${bits} bits`);
    const pads = typeof padCode === 'number' ? padCode : padCode.subarray(start, start + count);
    target.set(packBlocks(codes, { ...layout, rows: count, padCode: pads }), start * rowBytes);
  }
}

/** codes += plane << shift; sums wrap at 256. */
function addPlane(codes: Uint8Array, plane: Uint8Array, planeWidth: number, shift: number): void {
  const perByte = 8 / planeWidth;
  const mask = (1 << planeWidth) - 1;
  const whole = Math.floor(codes.length / perByte);
  if (planeWidth === 1) addBits(codes, plane, whole, shift);
  else if (planeWidth === 2) addPairs(codes, plane, whole, shift);
  else if (planeWidth === 4) addNibbles(codes, plane, whole, shift);
  else for (let index = 0; index < whole; index++) codes[index]! += plane[index]!;
  for (let index = whole * perByte; index < codes.length; index++) {
    codes[index]! += ((plane[whole]! >> ((index % perByte) * planeWidth)) & mask) << shift;
  }
}

function addBits(codes: Uint8Array, plane: Uint8Array, count: number, shift: number): void {
  for (let index = 0, at = 0; index < count; index++, at += 8) {
    const byte = plane[index]!;
    codes[at]! += (byte & 1) << shift;
    codes[at + 1]! += ((byte >> 1) & 1) << shift;
    codes[at + 2]! += ((byte >> 2) & 1) << shift;
    codes[at + 3]! += ((byte >> 3) & 1) << shift;
    codes[at + 4]! += ((byte >> 4) & 1) << shift;
    codes[at + 5]! += ((byte >> 5) & 1) << shift;
    codes[at + 6]! += ((byte >> 6) & 1) << shift;
    codes[at + 7]! += (byte >> 7) << shift;
  }
}

function addPairs(codes: Uint8Array, plane: Uint8Array, count: number, shift: number): void {
  for (let index = 0, at = 0; index < count; index++, at += 4) {
    const byte = plane[index]!;
    codes[at]! += (byte & 3) << shift;
    codes[at + 1]! += ((byte >> 2) & 3) << shift;
    codes[at + 2]! += ((byte >> 4) & 3) << shift;
    codes[at + 3]! += (byte >> 6) << shift;
  }
}

function addNibbles(codes: Uint8Array, plane: Uint8Array, count: number, shift: number): void {
  for (let index = 0, at = 0; index < count; index++, at += 2) {
    const byte = plane[index]!;
    codes[at]! += (byte & 15) << shift;
    codes[at + 1]! += (byte >> 4) << shift;
  }
}
