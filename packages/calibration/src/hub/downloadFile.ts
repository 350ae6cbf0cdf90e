import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CompressionError } from '@quern/core';
import type { HubSettings } from './hubSettings.ts';
import { requestHub } from './requestHub.ts';

export interface DownloadOptions {
  /** What the file must have; the sum that the hub tells unless given, none when it tells none. */
  readonly sha256?: string | undefined;
  /** Only so many bytes from the beginning. The hub's sum is of the whole file and is not compared then. */
  readonly maximumBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Downloaded {
  readonly bytes: number;
  readonly sha256: string;
}

const ATTEMPTS_WITHOUT_PROGRESS = 5;

/**
 * Downloads a file. It grows under a temporary name, `path.partial`, and gets its own when it is whole and its sum is right; a broken
 * transfer, of this or of an earlier process, goes on where it stopped, unless the file's etag changed meanwhile.
 *
 * Errors: those of `requestHub`; DOWNLOAD_FAILED for a transfer that breaks five times at one place, and for a wrong sha256 (the
 * temporary file is removed then).
 */
export async function downloadFile(
  url: string,
  path: string,
  settings: HubSettings,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const partial = `${path}.partial`;
  await mkdir(dirname(path), { recursive: true });
  let expected = options.sha256 ?? null;
  let idle = 0;
  while (true) {
    const before = await sizeOf(partial);
    const { total, told } = await transfer(url, partial, settings, options);
    expected ??= options.maximumBytes === undefined ? told : null;
    const size = await sizeOf(partial);
    if (total !== null && size >= total) break;
    if (total === null && size > 0) break;
    idle = size > before ? 0 : idle + 1;
    if (idle >= ATTEMPTS_WITHOUT_PROGRESS) {
      throw new CompressionError(
        'DOWNLOAD_FAILED',
        `${url} breaks off after ${size} of ${total} bytes, ${idle} times. What there is stays: run the command again to go on.`,
        { url, size, total },
      );
    }
    if (idle > 0) await settings.wait(1000 * 2 ** (idle - 1));
  }
  const sha256 = await sha256Of(partial);
  if (expected !== null && sha256 !== expected) {
    await rm(partial, { force: true });
    await rm(`${partial}.etag`, { force: true });
    throw new CompressionError(
      'DOWNLOAD_FAILED',
      `${url} has the sha256 ${sha256}; it must be ${expected}. It was removed: run the command again, or check HF_ENDPOINT.`,
      { url, sha256, expected },
    );
  }
  const bytes = await sizeOf(partial);
  await rename(partial, path);
  await rm(`${partial}.etag`, { force: true });
  return { bytes, sha256 };
}

/** One request; what it gives is appended. `total` is the size to reach, null when the server does not tell. */
async function transfer(
  url: string,
  partial: string,
  settings: HubSettings,
  { maximumBytes, signal, onProgress }: DownloadOptions,
): Promise<{ total: number | null; told: string | null }> {
  const limit = maximumBytes ?? Number.POSITIVE_INFINITY;
  let start = await sizeOf(partial);
  const etagFile = `${partial}.etag`;
  const etag = await readFile(etagFile, 'utf8').catch(() => null);
  if (start > 0 && etag === null) start = 0;
  const last = maximumBytes === undefined ? '' : maximumBytes - 1;
  const isPart = start > 0 || maximumBytes !== undefined;
  const headers = {
    ...(isPart ? { range: `bytes=${start}-${last}` } : {}),
    ...(start > 0 ? { 'if-range': etag! } : {}),
  };
  if (start >= limit) return { total: limit, told: null };
  const { response, first } = await requestHub(url, settings, { headers, signal, accepted: [416] });
  if (response.status === 416) {
    const whole = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
    await response.body?.cancel();
    if (whole === start) return { total: start, told: toldSum(first) };
    await rm(partial, { force: true });
    return { total: Number.POSITIVE_INFINITY, told: null };
  }
  if (response.status !== 206) start = 0;
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  const length = response.headers.get('content-length');
  const whole = range ? Number(range[2]) : length === null ? null : Number(length);
  const total = whole === null ? null : Math.min(whole, limit);
  if (response.status === 206 && range && Number(range[1]) !== start) start = 0;
  const file = await open(partial, start > 0 ? 'r+' : 'w');
  try {
    const newEtag = response.headers.get('etag');
    if (newEtag && !newEtag.startsWith('W/')) await writeFile(etagFile, newEtag);
    else await rm(etagFile, { force: true });
    let position = start;
    for await (const chunk of response.body ?? []) {
      const bytes = (chunk as Uint8Array).subarray(0, Math.max(0, limit - position));
      await file.write(bytes, 0, bytes.length, position);
      position += bytes.length;
      onProgress?.(position, total ?? position);
      if (position >= limit) break;
    }
    await file.truncate(position);
  } catch (error) {
    // A connection that breaks leaves what came; the caller asks for the rest.
    if (signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted.');
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    return { total: total ?? Number.POSITIVE_INFINITY, told: toldSum(first) };
  } finally {
    await file.close();
  }
  return { total, told: toldSum(first) };
}

/** The sha256 that the hub gives as etag of what lies in large-file storage. */
function toldSum(headers: Headers): string | null {
  const etag = (headers.get('x-linked-etag') ?? '').replaceAll('"', '');
  return /^[0-9a-f]{64}$/.test(etag) ? etag : null;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
