import type { OpenSource } from './byteSource.ts';
import { decodeTensor } from './decodeTensor.ts';
import { PackedFileError } from './packedFileError.ts';
import type { PackedDataFile, PackedIndex } from './packedIndex.ts';
import { readPackedIndex } from './readPackedIndex.ts';

/** How a decoding reports and is stopped. */
export interface DecodeOptions {
  /** Called with the decoded bytes after each tensor. */
  readonly onProgress?: ((progress: { readonly loaded: number; readonly total: number }) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A packed file whose table of contents was read. */
export interface PackedModel extends PackedIndex {
  /** The exact bytes of a data file. Peak memory: those bytes, and what one tensor takes while packed. */
  decodeFile(path: string, options?: DecodeOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** The same in pieces, in order, for writing or streaming: one tensor is in memory at a time. */
  streamFile(path: string, options?: DecodeOptions): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
  /** Ends a request that is still open. Decodings that run are not stopped. */
  close(): Promise<void>;
}

/**
 * Opens a packed file.
 *
 * Errors: those of `readPackedIndex`; decoding throws NO_SUCH_FILE, CORRUPT_TENSOR, TRUNCATED, UNREADABLE.
 */
export async function openPackedSource(open: OpenSource): Promise<PackedModel> {
  const first = await open();
  const index = await readPackedIndex(first).catch(async error => {
    await first.close();
    throw error;
  });
  // A stream, whose size nothing tells, goes on to the first tensor: it is not asked for twice when one data file is all there is.
  let spare = first.size === null ? first : null;
  if (!spare) await first.close();

  function find(path: string): PackedDataFile {
    const file = index.dataFiles.find(candidate => candidate.path === path);
    if (file) return file;
    const names = index.dataFiles.map(candidate => candidate.path).join(', ') || 'none';
    throw new PackedFileError('NO_SUCH_FILE', `The packed file holds no "${path}"; it holds ${names}.`);
  }

  async function* decodeTensors(file: PackedDataFile, options: DecodeOptions, targetOf: TargetOf) {
    const source = spare ?? (await open());
    spare = null;
    try {
      for (const tensor of file.tensors) {
        options.signal?.throwIfAborted();
        const payload = await source.read(tensor.payloadOffset, tensor.payloadLength);
        const target = targetOf(tensor.offset, tensor.length);
        decodeTensor(tensor, payload, index.tables, target);
        options.onProgress?.({ loaded: tensor.offset + tensor.length, total: file.bytes });
        yield { offset: tensor.offset, target };
      }
      options.onProgress?.({ loaded: file.bytes, total: file.bytes });
    } finally {
      await source.close();
    }
  }

  return {
    ...index,
    async decodeFile(path, options = {}) {
      const file = find(path);
      const bytes = new Uint8Array(file.bytes);
      const inside: TargetOf = (offset, length) => bytes.subarray(offset, offset + length);
      for await (const _ of decodeTensors(file, options, inside));
      return bytes;
    },
    async *streamFile(path, options = {}) {
      const file = find(path);
      let end = 0;
      for await (const { offset, target } of decodeTensors(file, options, (_, length) => new Uint8Array(length))) {
        if (offset > end) yield new Uint8Array(offset - end);
        yield target;
        end = offset + target.length;
      }
      if (file.bytes > end) yield new Uint8Array(file.bytes - end);
    },
    async close() {
      await spare?.close();
      spare = null;
    },
  };
}

/** Memory for the tensor at this place of its data file. */
type TargetOf = (offset: number, length: number) => Uint8Array<ArrayBuffer>;
