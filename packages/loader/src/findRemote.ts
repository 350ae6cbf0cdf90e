import type { OpenSource } from './byteSource.ts';
import type { ClientCache } from './clientCache.ts';
import { type Fetch, urlSource } from './urlSource.ts';

/** How to open the packed file behind a URL, which is downloaded into the cache first where there is one; null when there is no such file. */
export async function findRemote(url: string, cache: ClientCache | null): Promise<OpenSource | null> {
  const fetch = await download(url, cache);
  return fetch && (async () => urlSource(url, fetch));
}

/** A way to read a URL: from the cache, where it was put now or before, else from the network. Null when there is no such file. */
async function download(url: string, cache: ClientCache | null): Promise<Fetch | null> {
  const known = await cache?.match(url);
  if (!known) {
    const response = await globalThis.fetch(url).catch(() => null);
    if (!response?.ok) return null;
    // A server may answer with its own page for what it does not have; that is neither kept nor read further.
    if (/^text\/html/.test(response.headers.get('content-type') ?? '')) return null;
    if (!cache) return firstAnswer(response, globalThis.fetch);
    const isKept = await cache.put(url, response).then(
      () => true,
      () => false,
    );
    if (!isKept) return globalThis.fetch;
  }
  return async wanted => {
    const response = await cache?.match(wanted);
    return response instanceof Response ? response : globalThis.fetch(wanted);
  };
}

/** Uses an answer that is there already before it asks again. */
function firstAnswer(response: Response, fetch: Fetch): Fetch {
  let first: Response | null = response;
  return (url, init) => {
    const answer = first;
    first = null;
    return answer ? Promise.resolve(answer) : fetch(url, init);
  };
}
