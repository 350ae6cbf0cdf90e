import { memorySource, type OpenSource } from './byteSource.ts';
import { openPackedSource, type PackedModel } from './openPackedSource.ts';
import { type Fetch, urlSource } from './urlSource.ts';

/** A URL, or the content of a packed file. */
export type PackedLocation = string | URL | Uint8Array | Blob;

/**
 * Opens a packed file (`.quern`) behind a URL or in memory.
 *
 * Errors: NOT_PACKED, UNSUPPORTED_VERSION, CORRUPT_INDEX, TRUNCATED, UNREADABLE.
 */
export async function openPacked(location: PackedLocation, options: { fetch?: Fetch } = {}): Promise<PackedModel> {
  return openPackedSource(sourceOf(location, options.fetch ?? globalThis.fetch));
}

function sourceOf(location: PackedLocation, fetch: Fetch): OpenSource {
  if (location instanceof Uint8Array || location instanceof Blob) return async () => memorySource(location);
  return async () => urlSource(String(location), fetch);
}
