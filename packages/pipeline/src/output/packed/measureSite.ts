import type { SiteReport } from '../../compressRequest.ts';
import type { PackedSize } from './packGraph.ts';

/**
 * The report of a site whose tensors were packed: what they take in the file instead of what they take in their container.
 * A factor that several sites share is packed once: each of `sharing`, the site among them, saves its part of it.
 */
export function measureSite(
  site: SiteReport,
  sizes: ReadonlyMap<string, PackedSize>,
  sharing: readonly SiteReport[] = [site],
): SiteReport {
  const { sharedFactor } = site;
  const isShared = (name: string): boolean => sharedFactor !== undefined && name.startsWith(sharedFactor);
  const partsOf = (names: readonly string[], part: number) =>
    names.flatMap(name => sizes.get(name) ?? []).map(size => ({ size, part }));
  const parts = [
    ...partsOf(
      site.tensors.filter(name => !isShared(name)),
      1,
    ),
    ...partsOf(sharing.flatMap(({ tensors }) => tensors).filter(isShared), 1 / sharing.length),
  ];
  const saved = (sizeOf: (size: PackedSize) => number): number =>
    8 * parts.reduce((sum, { size, part }) => sum + part * (size.containerBytes - sizeOf(size)), 0);
  const kinds = new Set(parts.map(({ size }) => size.encoding));
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
