import type { SiteReport } from '../../compressRequest.ts';
import type { PackedSize } from './packGraph.ts';

/**
 * The report of a site whose tensors were packed: what they take in the file instead of what they take in their container.
 * A factor that several sites share is packed once, and what that saves is counted with the site that stored it.
 */
export function measureSite(site: SiteReport, sizes: ReadonlyMap<string, PackedSize>): SiteReport {
  const own = site.tensors.flatMap(name => sizes.get(name) ?? []);
  const saved = (sizeOf: (size: PackedSize) => number): number =>
    8 * own.reduce((sum, size) => sum + size.containerBytes - sizeOf(size), 0);
  const kinds = new Set(own.map(size => size.encoding));
  const isSparse = kinds.has('sparse') || kinds.has('sparseHalves');
  const encoding = isSparse ? 'sparse' : kinds.has('rans') ? 'rans' : kinds.has('planes') ? 'planes' : 'raw';
  return {
    ...site,
    storageBits: site.storageBits - saved(size => size.bytes),
    packed: {
      encoding,
      containerBits: site.storageBits,
      planeBits: site.storageBits - saved(size => size.planeBytes),
    },
  };
}
