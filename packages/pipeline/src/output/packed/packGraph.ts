import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CodeCounts, fitCodeTables } from '@quern/coder';
import { CompressionError } from '@quern/core';
import { checksum, openPacked, type PackedEncoding } from '@quern/loader';
import { readOnnxModel } from '@quern/onnx';
import { listenForInterrupt } from '../../interruption.ts';
import { encodeIndex, entryBytes, type IndexedFile, type IndexedTensor } from './encodeIndex.ts';
import { listTensors, type StoredTensor } from './listTensors.ts';
import { packedName } from './packedName.ts';
import { countTensor, packTensor } from './packTensor.ts';

/** What a tensor takes in the packed file. */
export interface PackedSize {
  readonly encoding: PackedEncoding['kind'];
  /** Payload and index entry; header and tables are counted with the first tensor. */
  readonly bytes: number;
  /** The same, had its codes been stored as bit planes. */
  readonly planeBytes: number;
  /** In the data file. */
  readonly containerBytes: number;
}

export interface PackedGraph {
  /** Path of the packed file. */
  readonly path: string;
  readonly bytes: number;
  /** By the tensor's name. */
  readonly sizes: ReadonlyMap<string, PackedSize>;
}

/** Code tables that a model may have. */
const MAXIMUM_TABLES = 64;

/**
 * Packs the data files of a written graph into one file beside it, checks that every byte comes back, and removes them.
 *
 * Errors: WRITE_FAILED by the caller's doing; INTERRUPTED; INTERNAL when what was packed does not decode to what was there.
 * Cost: data is read three times, once to count codes, once to pack, once to compare; one tensor in memory.
 */
export async function packGraph(graph: string, signal?: AbortSignal): Promise<PackedGraph> {
  const folder = dirname(graph);
  const tensors = listTensors(await readOnnxModel(graph));
  const names = [...new Set(tensors.map(({ location }) => location))];
  const tables = fitCodeTables(countAll(folder, tensors), { maximum: MAXIMUM_TABLES });
  const path = packedName(graph);
  const payloads = `${path}.payloads`;
  const sizes = new Map<string, PackedSize>();
  const files: IndexedFile[] = [];
  const target = await open(payloads, 'w+');
  try {
    for (const name of names) {
      const entries: IndexedTensor[] = [];
      let end = 0;
      for (const tensor of tensors.filter(({ location }) => location === name)) {
        await listenForInterrupt(signal);
        const bytes = readRange(folder, tensor);
        const { encoding, payload, planeBytes } = packTensor(bytes, tensor.nature, tables);
        const { offset, length } = tensor;
        const entry = { offset, length, encoding, payloadLength: payload.length, checksum: checksum(bytes) };
        await target.writeFile(payload);
        const own = entryBytes(entry, end);
        const packed = { encoding: encoding.kind, bytes: own + payload.length, planeBytes: own + planeBytes };
        sizes.set(tensor.name, { ...packed, containerBytes: length });
        entries.push(entry);
        end = offset + length;
      }
      files.push({ path: name, bytes: (await stat(join(folder, name))).size, tensors: entries });
    }
    const bytes = await writePacked(path, encodeIndex(tables, files), target);
    await compare(path, folder, signal);
    for (const name of names) await rm(join(folder, name));
    countShared(sizes, bytes);
    return { path, bytes, sizes };
  } finally {
    await target.close();
    await rm(payloads, { force: true });
  }
}

/** One after the other, so that no two tensors are in memory; the fit takes them as they come. */
function* countAll(folder: string, tensors: readonly StoredTensor[]): Generator<CodeCounts> {
  for (const tensor of tensors) {
    if (tensor.nature.kind === 'other' || tensor.length === 0) continue;
    const counts = countTensor(readRange(folder, tensor), tensor.nature);
    if (counts) yield counts;
  }
}

function readRange(folder: string, { location, offset, length }: StoredTensor): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(join(folder, location), 'r');
  try {
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
      if (count === 0) throw new CompressionError('INTERNAL', `${location} ended early while it was packed.`);
      done += count;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Header, index and payloads under the final name; returns the bytes. */
async function writePacked(path: string, head: Uint8Array, payloads: FileHandle): Promise<number> {
  const partial = `${path}.partial`;
  const file = await open(partial, 'w');
  try {
    await file.writeFile(head);
    const buffer = new Uint8Array(2 ** 20);
    for (let position = 0; ; ) {
      const { bytesRead } = await payloads.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) break;
      await file.writeFile(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
  await rename(partial, path);
  return (await stat(path)).size;
}

/** Reads the packed file as a client does, and compares it with the data files. */
async function compare(path: string, folder: string, signal: AbortSignal | undefined): Promise<void> {
  const model = await openPacked(path);
  try {
    for (const file of model.dataFiles) {
      const original = await open(join(folder, file.path), 'r');
      try {
        let position = 0;
        for await (const piece of model.streamFile(file.path)) {
          await listenForInterrupt(signal);
          const expected = Buffer.alloc(piece.length);
          await original.read(expected, 0, piece.length, position);
          if (!expected.equals(piece)) {
            const message = `${basename(path)} does not decode to ${file.path} at byte ${position}.`;
            throw new CompressionError('INTERNAL', message, { path, position });
          }
          position += piece.length;
        }
      } finally {
        await original.close();
      }
    }
  } finally {
    await model.close();
  }
}

/** What belongs to no tensor is counted with the first. */
function countShared(sizes: Map<string, PackedSize>, bytes: number): void {
  const [first] = sizes;
  if (!first) return;
  const shared = [...sizes.values()].reduce((left, size) => left - size.bytes, bytes);
  const [name, size] = first;
  sizes.set(name, { ...size, bytes: size.bytes + shared, planeBytes: size.planeBytes + shared });
}
