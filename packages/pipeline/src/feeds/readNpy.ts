import { type FileHandle, open } from 'node:fs/promises';
import type { PlainTensor } from '@quern/runtime';
import type { FeedHeader } from './checkFeed.ts';
import { type FeedType, feedTypes, viewElements } from './feedType.ts';
import { invalidFeeds } from './invalidFeeds.ts';

/** A .npy file's header, checked against the file's size. */
export interface NpyHeader extends FeedHeader {
  /** Where the elements begin. */
  readonly offset: number;
  readonly byteLength: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** Far above any array's header; numpy writes 128 bytes. */
const LONGEST_HEADER = 2 ** 16;
const MOST_AXES = 32;

/**
 * Reads the header of a .npy file (format 1, 2 and 3) and checks that the file holds exactly what it claims.
 *
 * Errors: INVALID_FEEDS for anything but a little-endian array of a type that feeds can have, in C order.
 */
export async function readNpyHeader(path: string): Promise<NpyHeader> {
  return withFile(path, file => readHeader(file, path));
}

/** Reads a .npy file. Errors: as `readNpyHeader`. */
export async function readNpy(path: string): Promise<PlainTensor> {
  return withFile(path, async file => {
    const { type, dims, offset, byteLength } = await readHeader(file, path);
    const buffer = new ArrayBuffer(byteLength);
    await readFully(file, new Uint8Array(buffer), offset, path);
    return { type, dims, data: viewElements(type, buffer) };
  });
}

async function readHeader(file: FileHandle, path: string): Promise<NpyHeader> {
  const { size } = await file.stat();
  const start = new Uint8Array(12);
  const { bytesRead } = await file.read(start, 0, 12, 0);
  if (bytesRead < 10 || MAGIC.some((byte, index) => start[index] !== byte)) {
    throw invalidFeeds(path, 'is no .npy file: save the array with numpy.save.');
  }
  const version = start[6]!;
  if (version < 1 || version > 3) throw invalidFeeds(path, `has the .npy format ${version}; 1, 2 and 3 can be read.`);
  const view = new DataView(start.buffer);
  const textOffset = version === 1 ? 10 : 12;
  const textLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textLength > LONGEST_HEADER || textOffset + textLength > size) {
    throw invalidFeeds(path, `claims a header of ${textLength} bytes; the file has ${size}. It is damaged.`);
  }
  const bytes = new Uint8Array(textLength);
  await readFully(file, bytes, textOffset, path);
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(bytes);
  const header = parseHeader(text, path);
  const elementCount = header.dims.reduce((product, length) => product * length, 1);
  const byteLength = elementCount * feedTypes[header.type].bytes;
  const offset = textOffset + textLength;
  if (!Number.isSafeInteger(byteLength) || size !== offset + byteLength) {
    const shape = `[${header.dims.join(', ')}] of ${header.type}`;
    throw invalidFeeds(path, `${shape} takes ${byteLength} bytes; the file holds ${size - offset}. It is damaged.`, {
      dims: header.dims,
    });
  }
  return { ...header, offset, byteLength };
}

/** Reads the Python dictionary `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseHeader(text: string, path: string): FeedHeader {
  const descriptor = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape'\s*:\s*\(([^()]*)\)/.exec(text)?.[1];
  if (descriptor === undefined || order === undefined || shape === undefined) {
    throw invalidFeeds(path, 'has a header that is no description of an array. Save it again with numpy.save.');
  }
  const type = Object.entries(feedTypes).find(([, { descriptors }]) => descriptors.includes(descriptor))?.[0];
  if (type === undefined) {
    const known = Object.values(feedTypes).map(({ descriptors }) => descriptors[0]);
    throw invalidFeeds(path, `holds ${descriptor}; readable are ${known.join(', ')}. Convert it with .astype.`, {
      descriptor,
    });
  }
  if (order === 'True') {
    throw invalidFeeds(path, 'lies in Fortran order: save numpy.ascontiguousarray of it.');
  }
  const parts = shape.split(',').map(part => part.trim());
  if (parts.at(-1) === '') parts.pop(); // a tuple of one ends with a comma
  if (parts.length > MOST_AXES || !parts.every(part => /^\d{1,15}$/.test(part))) {
    throw invalidFeeds(path, `has the shape (${shape.slice(0, 80)}), which is no list of sizes. It is damaged.`);
  }
  return { type: type as FeedType, dims: parts.map(Number) };
}

async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw invalidFeeds(path, `cannot be opened (${cause.code ?? cause.message}).`);
  });
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, target: Uint8Array, position: number, path: string): Promise<void> {
  let done = 0;
  while (done < target.length) {
    // One call moves less than 2 GiB.
    const wanted = Math.min(target.length - done, 2 ** 30);
    const { bytesRead } = await file.read(target, done, wanted, position + done);
    if (bytesRead === 0) throw invalidFeeds(path, 'became shorter while it was read.');
    done += bytesRead;
  }
}
