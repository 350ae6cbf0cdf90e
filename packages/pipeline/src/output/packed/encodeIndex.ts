import type { CodeTables } from '@quern/coder';
import { checksum, HEADER_BYTES, MAGIC, type PackedEncoding, VERSION } from '@quern/loader';

/** A tensor as the index lists it. */
export interface IndexedTensor {
  readonly offset: number;
  readonly length: number;
  readonly encoding: PackedEncoding;
  readonly payloadLength: number;
  readonly checksum: number;
}

/** A data file as the index lists it, tensors in the order of their offsets. */
export interface IndexedFile {
  readonly path: string;
  readonly bytes: number;
  readonly tensors: readonly IndexedTensor[];
}

/** Header and index of a packed file; the format is told where `@quern/loader` defines it. */
export function encodeIndex(tables: CodeTables, files: readonly IndexedFile[]): Uint8Array {
  const index: number[] = [];
  appendVarint(index, tables.ladders.length);
  for (const { shape, firstScale, count } of tables.ladders) appendVarint(index, shape, firstScale, count);
  appendVarint(index, files.length);
  for (const { path, bytes, tensors } of files) {
    const name = new TextEncoder().encode(path);
    appendVarint(index, name.length);
    index.push(...name);
    appendVarint(index, bytes, tensors.length);
    let end = 0;
    for (const tensor of tensors) {
      appendEntry(index, tensor, end);
      end = tensor.offset + tensor.length;
    }
  }
  const header = new Uint8Array(HEADER_BYTES + index.length);
  header.set(MAGIC);
  header.set(index, HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint16(6, VERSION, true);
  view.setUint32(8, index.length, true);
  view.setUint32(12, checksum(header.subarray(HEADER_BYTES)), true);
  return header;
}

/** Bytes of a tensor's entry when `end` is where the one before it ends. */
export function entryBytes(tensor: IndexedTensor, end: number): number {
  const entry: number[] = [];
  appendEntry(entry, tensor, end);
  return entry.length;
}

function appendEntry(index: number[], tensor: IndexedTensor, end: number): void {
  const { offset, length, encoding, payloadLength, checksum: sum } = tensor;
  appendVarint(index, offset - end);
  switch (encoding.kind) {
    case 'raw':
      index.push(0);
      appendVarint(index, length);
      break;
    case 'planes':
    case 'rans': {
      const { rows, columns, blockSize, bits, padCode } = encoding.layout;
      index.push(encoding.kind === 'planes' ? 1 : 2);
      appendVarint(index, rows, columns, blockSize);
      index.push(bits, padCode as number);
      if (encoding.kind === 'planes') index.push(encoding.width);
      else appendVarint(index, payloadLength);
      break;
    }
    case 'halves':
      index.push(3);
      appendVarint(index, encoding.rows, encoding.columns);
      index.push(encoding.centre, encoding.width);
      appendVarint(index, payloadLength);
      break;
    case 'sparse': {
      const { rows, columns, blockSize, bits, padCode } = encoding.layout;
      const { zero, lowest, step, width, count } = encoding.format;
      index.push(4);
      appendVarint(index, rows, columns, blockSize);
      index.push(bits, padCode as number, zero, lowest, step, width);
      appendVarint(index, count);
      break;
    }
    case 'sparseHalves':
      index.push(5);
      appendVarint(index, encoding.count, encoding.rows, encoding.columns);
      index.push(encoding.centre, encoding.width);
      appendVarint(index, payloadLength);
      break;
  }
  for (let shift = 0; shift < 32; shift += 8) index.push((sum >>> shift) & 255);
}

function appendVarint(index: number[], ...values: readonly number[]): void {
  for (let value of values) {
    for (; value >= 128; value = Math.floor(value / 128)) index.push((value % 128) | 128);
    index.push(value);
  }
}
