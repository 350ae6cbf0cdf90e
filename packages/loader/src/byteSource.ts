import { PackedFileError } from './packedFileError.ts';

/** Where the bytes of a packed file come from. Reads of one source come one after the other, mostly forwards. */
export interface ByteSource {
  /** Bytes in all; null where nothing tells before the end. */
  readonly size: number | null;
  /** Exactly these bytes, valid until the next read. Errors: TRUNCATED, UNREADABLE. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a source anew; every decoding has one of its own. */
export type OpenSource = () => Promise<ByteSource>;

/** Bytes in memory, or a Blob or File that the browser keeps. */
export function memorySource(content: Uint8Array | Blob): ByteSource {
  const size = content instanceof Uint8Array ? content.length : content.size;
  return {
    size,
    async read(offset, length) {
      if (offset + length > size) throw truncated(offset + length, size);
      if (content instanceof Uint8Array) return content.subarray(offset, offset + length);
      return new Uint8Array(await content.slice(offset, offset + length).arrayBuffer());
    },
    close: async () => undefined,
  };
}

/** The error for a read past the end. */
export function truncated(wanted: number, size: number): PackedFileError {
  return new PackedFileError(
    'TRUNCATED',
    `The packed file ends at byte ${size}, and byte ${wanted} is needed. Fetch the file again.`,
  );
}
