import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ClientCache } from '../clientCache.ts';

/**
 * Keeps downloaded files in a folder, at the places where transformers.js keeps them itself: `<model>/<file>`, with the revision
 * between where it is not `main`. Graphs and weights are given as paths, so that the runtime opens them there.
 */
export function folderCache(folder: string): ClientCache {
  return {
    async match(key) {
      const path = pathOf(folder, key);
      const information = path === null ? null : await stat(path).catch(() => null);
      if (path === null || !information?.isFile()) return undefined;
      if (/\.onnx(_data(_\d+)?)?$/.test(path)) return path;
      const headers = { 'content-length': String(information.size) };
      return new Response(Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>, { headers });
    },
    async put(key, response) {
      const path = pathOf(folder, key);
      if (path === null || !response.body) return;
      const partial = `${path}.${process.pid}.partial`;
      await mkdir(dirname(path), { recursive: true });
      try {
        await pipeline(Readable.fromWeb(response.body as never), createWriteStream(partial));
        await rename(partial, path);
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
    },
  };
}

/** Null for what did not come from a server. */
function pathOf(folder: string, key: string): string | null {
  if (!/^https?:/.test(key)) return null;
  const { pathname } = new URL(key);
  return join(folder, pathname.replace('/resolve/main/', '/').replace('/resolve/', '/'));
}
