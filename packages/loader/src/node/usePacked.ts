import { stat } from 'node:fs/promises';
import type { ClientCache } from '../clientCache.ts';
import { findRemote } from '../findRemote.ts';
import { quernCache } from '../quernCache.ts';
import type { ClientEnvironment as AnyEnvironment } from '../usePacked.ts';
import { fileSource } from './fileSource.ts';
import { folderCache } from './folderCache.ts';

/** The part of transformers.js's `env` that is read and set. */
export interface ClientEnvironment extends AnyEnvironment {
  readonly cacheDir?: string | null;
  readonly useFSCache?: boolean;
}

/**
 * Makes transformers.js in Node load packed models: `usePacked(env)`, and then `pipeline(...)` as ever.
 *
 * Packed files lie in a folder or come from a server. Files of a server are kept in `env.cacheDir`, where the client keeps them
 * too; a cache that was set before stays in use for them.
 */
export function usePacked(env: ClientEnvironment): void {
  const own = env.cacheDir && env.useFSCache !== false ? folderCache(env.cacheDir) : null;
  const others = env.useCustomCache ? (env.customCache as ClientCache) : own;
  env.customCache = quernCache({
    others,
    async find(packedPath) {
      if (/^https?:/.test(packedPath)) return findRemote(packedPath, others);
      const information = await stat(packedPath).catch(() => null);
      return information?.isFile() ? () => fileSource(packedPath) : null;
    },
  });
  env.useCustomCache = true;
}
