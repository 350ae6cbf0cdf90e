import type { CodeLayout, ContainerBits } from '@quern/coder';
import type { ByteSource } from './byteSource.ts';
import { checksum } from './checksum.ts';
import { type IndexReader, indexReader } from './indexReader.ts';
import { PackedFileError } from './packedFileError.ts';
import {
  HEADER_BYTES,
  MAGIC,
  type PackedDataFile,
  type PackedEncoding,
  type PackedIndex,
  type PackedTensor,
  VERSION,
} from './packedIndex.ts';
import { planesLength } from './planesLength.ts';

/** Largest index: a few hundred thousand tensors. */
const LARGEST_INDEX = 2 ** 24;
/** Largest data file: what one buffer of a browser holds. */
const LARGEST_DATA_FILE = 2 ** 32;
/** Gaps between tensors are alignment. */
const LARGEST_GAP = 4096;
/** What transformers.js loads. */
const MOST_DATA_FILES = 100;

/**
 * Reads and checks the table of contents. Nothing is allocated on its word but the index itself, of at most 16 MiB.
 *
 * Errors: NOT_PACKED, UNSUPPORTED_VERSION, CORRUPT_INDEX, TRUNCATED; those of the source.
 */
export async function readPackedIndex(source: ByteSource): Promise<PackedIndex> {
  const header = await readHeader(source);
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const version = view.getUint16(6, true);
  if (version !== VERSION) {
    const message = `The packed file has format ${version}; this loader reads format ${VERSION}. Update @quern/loader.`;
    throw new PackedFileError('UNSUPPORTED_VERSION', message);
  }
  const length = view.getUint32(8, true);
  const sum = view.getUint32(12, true);
  if (length > LARGEST_INDEX) throw corrupt(`claims ${length} bytes; the limit is ${LARGEST_INDEX}`);
  const bytes = await source.read(HEADER_BYTES, length);
  if (checksum(bytes) !== sum) throw corrupt('does not have its checksum');
  const index = parse(indexReader(bytes), HEADER_BYTES + length);
  if (source.size === null || source.size === index.bytes) return index;
  if (source.size < index.bytes) {
    const message = `The packed file has ${source.size} bytes and should have ${index.bytes}. Fetch it again.`;
    throw new PackedFileError('TRUNCATED', message);
  }
  throw corrupt(`ends at byte ${index.bytes}, the file has ${source.size}`);
}

async function readHeader(source: ByteSource): Promise<Uint8Array> {
  const isShort = source.size !== null && source.size < HEADER_BYTES;
  const header = isShort ? new Uint8Array(HEADER_BYTES) : await source.read(0, HEADER_BYTES);
  if (MAGIC.every((byte, index) => header[index] === byte)) return header;
  throw new PackedFileError('NOT_PACKED', 'The file does not begin as packed files do. Name a .quern file.');
}

function parse(reader: IndexReader, payloadStart: number): PackedIndex {
  const ladders = Array.from({ length: count(reader, 64, 'code ladders') }, () => ({
    shape: reader.varint(),
    firstScale: reader.varint(),
    count: reader.varint(),
  }));
  const dataFiles: PackedDataFile[] = [];
  let payloadOffset = payloadStart;
  for (let left = count(reader, MOST_DATA_FILES, 'data files'); left > 0; left--) {
    const path = checkPath(reader.text(), dataFiles);
    const bytes = reader.varint();
    if (bytes > LARGEST_DATA_FILE) throw corrupt(`gives "${path}" ${bytes} bytes; the limit is ${LARGEST_DATA_FILE}`);
    const tensors: PackedTensor[] = [];
    let end = 0;
    for (let number = reader.varint(); number > 0; number--) {
      const tensor = readTensor(reader, end, payloadOffset);
      end = tensor.offset + tensor.length;
      payloadOffset += tensor.payloadLength;
      if (end > bytes) throw corrupt(`has a tensor up to byte ${end} of "${path}", which has ${bytes}`);
      tensors.push(tensor);
    }
    if (bytes - end >= LARGEST_GAP) throw corrupt(`leaves ${bytes - end} bytes at the end of "${path}" empty`);
    dataFiles.push({ path, bytes, tensors });
  }
  if (reader.left() > 0) throw corrupt(`has ${reader.left()} bytes too many`);
  return { tables: { ladders }, dataFiles, bytes: payloadOffset };
}

function readTensor(reader: IndexReader, end: number, payloadOffset: number): PackedTensor {
  const before = reader.left();
  const gap = reader.varint();
  if (gap >= LARGEST_GAP) throw corrupt(`leaves ${gap} bytes between two tensors`);
  const { encoding, length, payloadLength } = readEncoding(reader);
  const sum = reader.u32();
  if (length > LARGEST_DATA_FILE) throw corrupt(`has a tensor of ${length} bytes`);
  if (payloadLength > 2 * length + LARGEST_GAP) throw corrupt(`packs ${length} bytes into ${payloadLength}`);
  const entryBytes = before - reader.left();
  return { offset: end + gap, length, encoding, payloadOffset, payloadLength, checksum: sum, entryBytes };
}

interface ReadEncoding {
  readonly encoding: PackedEncoding;
  readonly length: number;
  readonly payloadLength: number;
}

function readEncoding(reader: IndexReader): ReadEncoding {
  const kind = reader.byte();
  if (kind === 0) {
    const length = reader.varint();
    return { encoding: { kind: 'raw' }, length, payloadLength: length };
  }
  if (kind === 3) {
    const rows = reader.varint();
    const columns = reader.varint();
    const centre = reader.byte();
    const width = reader.byte();
    if (width > 8) throw corrupt(`has lower bytes of ${width} bits`);
    const payloadLength = reader.varint();
    const lower = planesLength(rows * columns, width);
    if (payloadLength < lower) throw corrupt(`packs ${rows * columns} halves into ${payloadLength} bytes`);
    return { encoding: { kind: 'halves', rows, columns, centre, width }, length: 2 * rows * columns, payloadLength };
  }
  if (kind === 5) return readSparseHalves(reader);
  if (kind !== 1 && kind !== 2 && kind !== 4) throw corrupt(`names the encoding ${kind}; 0 to 5 exist`);
  const layout = readLayout(reader);
  const { rows, columns, blockSize, bits } = layout;
  const length = (rows * Math.ceil(columns / blockSize) * blockSize * bits) / 8;
  if (kind === 2) return { encoding: { kind: 'rans', layout }, length, payloadLength: reader.varint() };
  if (kind === 4) return readSparse(reader, layout, length);
  const width = reader.byte();
  if (width < 1 || width > bits) throw corrupt(`has planes of ${width} bits in a container of ${bits}`);
  return { encoding: { kind: 'planes', layout, width }, length, payloadLength: planesLength(rows * columns, width) };
}

function readSparse(reader: IndexReader, layout: CodeLayout, length: number): ReadEncoding {
  const { rows, columns, bits } = layout;
  const [zero, lowest, step, width] = [reader.byte(), reader.byte(), reader.byte(), reader.byte()];
  const count = reader.varint();
  if (zero >> bits !== 0 || lowest >> bits !== 0 || step < 1 || width < 1 || width > bits || count > rows * columns) {
    throw corrupt(`has ${count} of ${rows * columns} codes of ${bits} bits in planes of ${width} bits beside a mask`);
  }
  const payloadLength = Math.ceil((rows * columns) / 8) + planesLength(count, width);
  return { encoding: { kind: 'sparse', layout, format: { zero, lowest, step, width, count } }, length, payloadLength };
}

function readSparseHalves(reader: IndexReader): ReadEncoding {
  const count = reader.varint();
  const [rows, columns] = [reader.varint(), reader.varint()];
  const [centre, width] = [reader.byte(), reader.byte()];
  const payloadLength = reader.varint();
  const least = Math.ceil(count / 8) + planesLength(rows * columns, Math.min(8, width));
  if (width > 8 || rows * columns > count || payloadLength < least) {
    throw corrupt(`packs ${rows * columns} of ${count} halves into ${payloadLength} bytes`);
  }
  return { encoding: { kind: 'sparseHalves', count, rows, columns, centre, width }, length: 2 * count, payloadLength };
}

function readLayout(reader: IndexReader): CodeLayout {
  const rows = reader.varint();
  const columns = reader.varint();
  const blockSize = reader.varint();
  const bits = reader.byte();
  const padCode = reader.byte();
  const isContainer = bits === 2 || bits === 4 || bits === 8;
  const isWhole = blockSize >= 1 && blockSize <= 2 ** 20 && (blockSize * bits) % 8 === 0;
  if (!isContainer || !isWhole || padCode >> bits !== 0 || rows * (columns + blockSize) > 8 * LARGEST_DATA_FILE) {
    throw corrupt(`describes ${rows} rows of ${columns} codes of ${bits} bits in blocks of ${blockSize}`);
  }
  return { rows, columns, blockSize, bits: bits as ContainerBits, padCode };
}

function count(reader: IndexReader, limit: number, what: string): number {
  const value = reader.varint();
  if (value > limit) throw corrupt(`lists ${value} ${what}; the limit is ${limit}`);
  return value;
}

/** A name that can only mean a file beside the graph. */
function checkPath(path: string, before: readonly PackedDataFile[]): string {
  const isPlain = path.length <= 255 && /^[\w-][\w. -]*$/.test(path) && !path.endsWith('.') && !path.endsWith(' ');
  if (!isPlain) throw corrupt(`names the data file ${JSON.stringify(path.slice(0, 300))}, which is no plain file name`);
  if (before.some(file => file.path.toLowerCase() === path.toLowerCase())) throw corrupt(`names "${path}" twice`);
  return path;
}

function corrupt(problem: string): PackedFileError {
  return new PackedFileError('CORRUPT_INDEX', `The index of the packed file ${problem}. Fetch the file again.`);
}
