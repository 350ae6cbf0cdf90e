import { open, stat } from 'node:fs/promises';
import { type ByteSource, truncated } from '../byteSource.ts';
import { PackedFileError } from '../packedFileError.ts';

/** A file of this machine. Errors: UNREADABLE. */
export async function fileSource(path: string): Promise<ByteSource> {
  const unreadable = (cause: unknown): never => {
    const message = `Cannot read ${path}: ${(cause as Error).message}. Check the path.`;
    throw new PackedFileError('UNREADABLE', message, { cause });
  };
  const { size } = await stat(path).catch(unreadable);
  const file = await open(path, 'r').catch(unreadable);
  return {
    size,
    async read(offset, length) {
      if (offset + length > size) throw truncated(offset + length, size);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        if (bytesRead === 0) throw truncated(offset + length, offset + done);
        done += bytesRead;
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
