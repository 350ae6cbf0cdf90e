import type { ClientCache } from './clientCache.ts';
import { findRemote } from './findRemote.ts';
import { quernCache } from './quernCache.ts';

/** The part of transformers.js's `env` that is read and set. */
export interface ClientEnvironment {
  useCustomCache: boolean;
  customCache: unknown;
  readonly useBrowserCache?: boolean;
  readonly cacheKey?: string;
}

/** What a page has and Node's types do not list. */
interface PageScope {
  readonly caches?: { open(name: string): Promise<ClientCache> };
  readonly location?: { readonly href: string };
}

/**
 * Makes transformers.js in a page or worker load packed models: `usePacked(env)`, and then `pipeline(...)` as ever.
 *
 * Packed files are downloaded once and kept in the browser's cache, as the client keeps other files; a cache that was set before
 * stays in use for those.
 */
export function usePacked(env: ClientEnvironment): void {
  const others = env.useCustomCache ? (env.customCache as ClientCache) : browserCache(env);
  const { location } = globalThis as PageScope;
  env.customCache = quernCache({
    others,
    find: packedPath => findRemote(new URL(packedPath, location?.href).href, others),
  });
  env.useCustomCache = true;
}

/** The cache that the client would use, opened when it is first needed; null where the page has none. */
function browserCache(env: ClientEnvironment): ClientCache | null {
  const { caches } = globalThis as PageScope;
  if (!caches || env.useBrowserCache === false) return null;
  const opened = caches.open(env.cacheKey ?? 'transformers-cache');
  return {
    match: async key => (await opened).match(key),
    put: async (key, response) => (await opened).put(key, response),
  };
}
