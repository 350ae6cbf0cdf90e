import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip } from 'node:zlib';
import { CompressionError } from '@quern/core';
import { parquetReadObjects } from 'hyparquet';
import type { HubFile } from './hubSources.ts';

/** A row of a data set: a field holds what JSON can hold. */
export type HubRow = Readonly<Record<string, unknown>>;

/**
 * The rows of a downloaded file, in order: a parquet file (snappy or not packed), or JSON lines, gzipped or not. Of a file that was cut
 * the last row is dropped.
 *
 * Errors: INVALID_DATA_SET for a file that is neither.
 */
export async function readHubFile(path: string, file: HubFile): Promise<HubRow[]> {
  try {
    const rows = file.format === 'parquet' ? await readParquet(path) : await readJsonLines(path, file);
    return rows.slice(0, file.maximumRows);
  } catch (error) {
    const reason = (error as Error).message;
    throw new CompressionError(
      'INVALID_DATA_SET',
      `${file.path} was downloaded and cannot be read as ${file.format}: ${reason}. Pull it again with --force, or another revision.`,
      { path, reason },
      { cause: error },
    );
  }
}

async function readParquet(path: string): Promise<HubRow[]> {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return (await parquetReadObjects({ file })) as HubRow[];
}

async function readJsonLines(path: string, { maximumBytes }: HubFile): Promise<HubRow[]> {
  const stored = await readFile(path);
  const isCut = maximumBytes !== undefined && stored.length >= maximumBytes;
  const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
  const finishFlush = isCut ? constants.Z_SYNC_FLUSH : constants.Z_FINISH;
  const bytes = isGzip ? await promisify(gunzip)(stored, { finishFlush }) : stored;
  const lines = new TextDecoder('utf-8', { fatal: !isCut }).decode(bytes).split('\n');
  if (isCut) lines.pop();
  return lines.filter(line => line.trim() !== '').map(line => JSON.parse(line) as HubRow);
}
