import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { externalInitializer } from '../build/externalInitializer.ts';
import { inlineInitializer } from '../build/inlineInitializer.ts';
import { elementBits } from '../dataType.ts';
import type { TensorProto } from '../generated/onnx_pb.js';

/** Where a store writes. */
export interface WeightStoreOptions {
  readonly folder: string;
  /** First file; further ones are `fileName_1`, `fileName_2`, ... */
  readonly fileName: string;
  /** Most bytes of one file, 2e9 unless given: browsers load files below 2 GiB. */
  readonly chunkBytes?: number;
}

/** An append-only writer of external-data files. Calls of `add` may overlap; offsets follow the order of the calls. */
export interface WeightStore {
  readonly folder: string;
  /** Writes a tensor and returns it for a graph's initializers; a small one stays in the header. */
  add(name: string, dataType: number, dims: readonly number[], bytes: Uint8Array): Promise<TensorProto>;
  /** The same from pieces in order, so that the tensor need not be in memory. */
  addStream(
    name: string,
    dataType: number,
    dims: readonly number[],
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<TensorProto>;
  /** Whether this tensor object came from this store. */
  owns(tensor: TensorProto): boolean;
  /** Every tensor that came from this store, in the order in which they were finished. */
  added(): readonly TensorProto[];
  /** The name that a data file carries until `close`. */
  unfinishedName(location: string): string;
  /** Gives the files their names. No tensor can be added afterwards. */
  close(): Promise<{ path: string; bytes: number }[]>;
  /** Removes everything written. */
  abort(): Promise<void>;
}

/** Tensors below this many bytes stay in the header: they are not worth an entry in a packed file, which the header cannot join. */
const INLINE_BYTES = 64;
/** Offsets are multiples of this, so that a mapped file can be read in place. */
const ALIGNMENT = 64;
const CHUNK_BYTES = 2_000_000_000;
const UNFINISHED = '.partial';

interface Chunk {
  readonly fileName: string;
  readonly path: string;
  readonly file: Promise<FileHandle>;
  size: number;
}

/**
 * Opens a store. Files carry the ending `.partial` until `close`.
 *
 * @throws CompressionError WRITE_FAILED from its methods when the disk refuses, UNSUPPORTED_MODEL for a tensor beyond
 *   `chunkBytes`, INTERNAL when the bytes do not fill the dims.
 */
export function createWeightStore(options: WeightStoreOptions): WeightStore {
  const { folder, fileName, chunkBytes = CHUNK_BYTES } = options;
  const chunks: Chunk[] = [];
  const owned = new Set<TensorProto>();

  function reserve(name: string, length: number): { chunk: Chunk; offset: number } {
    if (length > chunkBytes) {
      const message = `Tensor "${name}" takes ${length} bytes; a weight file holds at most ${chunkBytes}. Choose fewer bits or float16.`;
      throw new CompressionError('UNSUPPORTED_MODEL', message, { tensor: name, length, limit: chunkBytes });
    }
    let chunk = chunks.at(-1);
    const offset = chunk ? Math.ceil(chunk.size / ALIGNMENT) * ALIGNMENT : 0;
    if (!chunk || offset + length > chunkBytes) {
      chunk = openChunk(folder, chunks.length === 0 ? fileName : `${fileName}_${chunks.length}`);
      chunks.push(chunk);
      chunk.size = length;
      return { chunk, offset: 0 };
    }
    chunk.size = offset + length;
    return { chunk, offset };
  }

  async function addStream(
    name: string,
    dataType: number,
    dims: readonly number[],
    pieces: AsyncIterable<Uint8Array>,
  ): Promise<TensorProto> {
    const length = byteLength(name, dataType, dims);
    if (length < INLINE_BYTES) {
      const bytes = await gather(name, length, pieces);
      return own(inlineInitializer(name, dataType, dims, bytes));
    }
    const { chunk, offset } = reserve(name, length);
    let written = 0;
    for await (const piece of pieces) {
      if (written + piece.length > length) throw wrongLength(name, written + piece.length, length);
      await writeFully(chunk, piece, offset + written);
      written += piece.length;
    }
    if (written !== length) throw wrongLength(name, written, length);
    return own(externalInitializer({ name, dataType, dims, location: chunk.fileName, offset, length }));
  }

  function own(tensor: TensorProto): TensorProto {
    owned.add(tensor);
    return tensor;
  }

  return {
    folder,
    addStream,
    add: (name, dataType, dims, bytes) => addStream(name, dataType, dims, once(bytes)),
    owns: tensor => owned.has(tensor),
    added: () => [...owned],
    unfinishedName: location => `${location}${UNFINISHED}`,
    async close() {
      const files: { path: string; bytes: number }[] = [];
      for (const chunk of chunks) {
        const path = join(folder, chunk.fileName);
        await closeChunk(chunk);
        await rename(chunk.path, path).catch(cause => {
          throw writeFailed(path, cause);
        });
        files.push({ path, bytes: chunk.size });
      }
      return files;
    },
    async abort() {
      for (const chunk of chunks) {
        await chunk.file.then(file => file.close()).catch(() => undefined);
        await rm(chunk.path, { force: true }).catch(() => undefined);
      }
    },
  };
}

function openChunk(folder: string, fileName: string): Chunk {
  const path = join(folder, `${fileName}${UNFINISHED}`);
  const file = mkdir(folder, { recursive: true })
    .then(() => open(path, 'w'))
    .catch(cause => {
      throw writeFailed(path, cause);
    });
  // Whoever writes awaits the same promise; this only keeps an early failure from counting as unhandled.
  file.catch(() => undefined);
  return { fileName, path, file, size: 0 };
}

async function closeChunk(chunk: Chunk): Promise<void> {
  const file = await chunk.file;
  await file.close().catch(cause => {
    throw writeFailed(chunk.path, cause);
  });
}

async function writeFully(chunk: Chunk, bytes: Uint8Array, position: number): Promise<void> {
  const file = await chunk.file;
  let done = 0;
  while (done < bytes.length) {
    // One call moves less than 2 GiB.
    const wanted = Math.min(bytes.length - done, 2 ** 30);
    const { bytesWritten } = await file.write(bytes, done, wanted, position + done).catch(cause => {
      throw writeFailed(chunk.path, cause);
    });
    done += bytesWritten;
  }
}

function byteLength(name: string, dataType: number, dims: readonly number[]): number {
  const bits = elementBits(dataType);
  if (bits === null) throw new CompressionError('INTERNAL', `Tensor "${name}" has element type ${dataType}.`);
  return Math.ceil((dims.reduce((product, size) => product * size, 1) * bits) / 8);
}

async function gather(name: string, length: number, pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  for await (const piece of pieces) {
    if (done + piece.length > length) throw wrongLength(name, done + piece.length, length);
    bytes.set(piece, done);
    done += piece.length;
  }
  if (done !== length) throw wrongLength(name, done, length);
  return bytes;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function wrongLength(tensor: string, actual: number, expected: number): CompressionError {
  const message = `Tensor "${tensor}" was given ${actual} bytes; its shape takes ${expected}.`;
  return new CompressionError('INTERNAL', message, { tensor, actual, expected });
}

function writeFailed(path: string, cause: unknown): CompressionError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  const message = `Cannot write ${path}: ${detail}. Check free space and permissions.`;
  return new CompressionError('WRITE_FAILED', message, { path }, { cause });
}
