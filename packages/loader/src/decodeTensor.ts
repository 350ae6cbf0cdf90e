import {
  type CodeLayout,
  CodeStreamError,
  type CodeTables,
  decodeCodes,
  forEachSet,
  unpackPlanes,
  unpackSparse,
} from '@quern/coder';
import { checksum } from './checksum.ts';
import { PackedFileError } from './packedFileError.ts';
import type { PackedEncoding, PackedTensor } from './packedIndex.ts';
import { planesLength } from './planesLength.ts';

/**
 * Decodes one tensor into `target`, which has its length.
 *
 * Errors: CORRUPT_TENSOR when the payload does not decode, or not to the bytes that were packed.
 * Cost: one pass for the codec, one for the checksum.
 */
export function decodeTensor(tensor: PackedTensor, payload: Uint8Array, tables: CodeTables, target: Uint8Array): void {
  try {
    decode(tensor, payload, tables, target);
  } catch (cause) {
    throw damaged(tensor, 'its payload does not decode', cause);
  }
  if (checksum(target) !== tensor.checksum) throw damaged(tensor, 'its bytes do not have their checksum');
}

function decode({ encoding }: PackedTensor, payload: Uint8Array, tables: CodeTables, target: Uint8Array): void {
  switch (encoding.kind) {
    case 'raw':
      target.set(payload);
      break;
    case 'planes':
      unpackPlanes(payload, encoding.layout, encoding.width, target);
      break;
    case 'rans':
      decodeCodes(payload, encoding.layout, tables, target);
      break;
    case 'halves':
      decodeHalves(payload, encoding, tables, target);
      break;
    case 'sparse':
      unpackSparse(payload, encoding.layout, encoding.format, target);
      break;
    case 'sparseHalves':
      decodeSparseHalves(payload, encoding, tables, target);
      break;
  }
}

/** The layout of the upper bytes of 16-bit floats as codes: what decoding and encoding must agree on. */
export function halvesLayout(rows: number, columns: number): CodeLayout {
  return { rows, columns, blockSize: columns, bits: 8, padCode: 0 };
}

type SparseHalves = Extract<PackedEncoding, { kind: 'sparseHalves' }>;
type Halves = Pick<SparseHalves, 'rows' | 'columns' | 'centre' | 'width'>;

function decodeSparseHalves(payload: Uint8Array, encoding: SparseHalves, tables: CodeTables, target: Uint8Array): void {
  const { count, rows, columns } = encoding;
  const maskLength = Math.ceil(count / 8);
  const values = new Uint8Array(2 * rows * columns);
  decodeHalves(payload.subarray(maskLength), encoding, tables, values);
  target.fill(0);
  const found = forEachSet(payload.subarray(0, maskLength), count, (place, value) => {
    target[2 * place] = values[2 * value] ?? 0;
    target[2 * place + 1] = values[2 * value + 1] ?? 0;
  });
  if (found !== rows * columns) throw new CodeStreamError(`a mask of ${found} ones, not ${rows * columns}`);
}

function decodeHalves(payload: Uint8Array, encoding: Halves, tables: CodeTables, target: Uint8Array): void {
  const { rows, columns, centre, width } = encoding;
  const layout = halvesLayout(rows, columns);
  const count = rows * columns;
  const lower = new Uint8Array(count);
  const upper = new Uint8Array(count);
  const lowerLength = planesLength(count, width);
  if (width > 0) unpackPlanes(payload.subarray(0, lowerLength), layout, width, lower);
  decodeCodes(payload.subarray(lowerLength), layout, tables, upper);
  for (let index = 0; index < count; index++) {
    const turned = (lower[index]! << (8 - width)) | (((upper[index]! + centre - 128) & 255) << 8);
    target[2 * index] = (turned >> 1) & 255;
    target[2 * index + 1] = (turned >> 9) | ((turned & 1) << 7);
  }
}

function damaged({ offset, length }: PackedTensor, problem: string, cause?: unknown): PackedFileError {
  const message = `The tensor at byte ${offset} (${length} bytes) is damaged: ${problem}. Fetch the packed file again.`;
  return new PackedFileError('CORRUPT_TENSOR', message, { cause });
}
