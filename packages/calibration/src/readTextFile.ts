import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { CompressionError } from '@quern/core';

/** The longest string that V8 makes; a text is decoded as one. */
const MAXIMUM_TEXT_BYTES = 2 ** 29 - 24;

/** The bytes of a text file and what they say. */
export interface TextFile {
  readonly content: string;
  /** Size and sum of the file as it is stored, before gunzip. */
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads a UTF-8 text file, unpacked when its first bytes say gzip. A byte-order mark is dropped.
 *
 * @param maximumBytes limit of the file and of what it unpacks to, so that a small file cannot fill the memory.
 * @throws `INVALID_DATA_SET` when the file is not there, too large, a broken gzip or not UTF-8.
 */
export async function readTextFile(path: string, maximumBytes = MAXIMUM_TEXT_BYTES): Promise<TextFile> {
  const status = await stat(path).catch(() => null);
  if (!status?.isFile()) {
    throw new CompressionError('INVALID_DATA_SET', `${path} is not a file. Name a text file or a set.`, { path });
  }
  if (status.size > maximumBytes) throw tooLarge(path, `${status.size} bytes`, maximumBytes);
  const stored = await readFile(path);
  const sha256 = createHash('sha256').update(stored).digest('hex');
  const unpacked = isGzip(stored) ? await unpack(stored, path, maximumBytes) : stored;
  return { content: decodeUtf8(unpacked, path), bytes: stored.length, sha256 };
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function unpack(stored: Uint8Array, path: string, maximumBytes: number): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(stored, { maxOutputLength: maximumBytes });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(path, 'more when unpacked', maximumBytes);
    throw new CompressionError(
      'INVALID_DATA_SET',
      `${path} starts like a gzip file but does not unpack: ${message}. Fetch it again.`,
      { path, reason: message },
      { cause: error },
    );
  }
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new CompressionError(
      'INVALID_DATA_SET',
      `${path} is not UTF-8 text (${bytes.length} bytes). Convert it, or name another file.`,
      { path, bytes: bytes.length },
      { cause: error },
    );
  }
}

function tooLarge(path: string, actual: string, maximumBytes: number): CompressionError {
  return new CompressionError(
    'INVALID_DATA_SET',
    `${path} has ${actual}; the limit is ${maximumBytes} bytes. Cut it: the first few megabytes are enough.`,
    { path, maximumBytes },
  );
}
