import type { SiteReport } from '../../compressRequest.ts';
import { measureSite } from './measureSite.ts';
import type { PackedSize } from './packGraph.ts';

/** The reports of all sites of a file whose tensors were packed; see measureSite. */
export function measureSites(sites: readonly SiteReport[], sizes: ReadonlyMap<string, PackedSize>): SiteReport[] {
  const groups = Map.groupBy(sites, ({ sharedFactor, name }) => sharedFactor ?? name);
  return sites.map(site => measureSite(site, sizes, groups.get(site.sharedFactor ?? site.name)));
}
