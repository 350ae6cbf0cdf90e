import { fileURLToPath } from 'node:url';
import { openPacked as openAnywhere, type PackedLocation } from '../openPacked.ts';
import { openPackedSource, type PackedModel } from '../openPackedSource.ts';
import type { Fetch } from '../urlSource.ts';
import { fileSource } from './fileSource.ts';

/**
 * Opens a packed file (`.quern`) by its path, behind a URL, or in memory.
 *
 * Errors: NOT_PACKED, UNSUPPORTED_VERSION, CORRUPT_INDEX, TRUNCATED, UNREADABLE.
 */
export async function openPacked(location: PackedLocation, options: { fetch?: Fetch } = {}): Promise<PackedModel> {
  const path = pathOf(location);
  return path === null ? openAnywhere(location, options) : openPackedSource(() => fileSource(path));
}

/** The path that a location means; null for content and for what lies on a server. */
function pathOf(location: PackedLocation): string | null {
  if (location instanceof URL) return location.protocol === 'file:' ? fileURLToPath(location) : null;
  if (typeof location !== 'string' || /^https?:/.test(location)) return null;
  return location.startsWith('file:') ? fileURLToPath(location) : location;
}
