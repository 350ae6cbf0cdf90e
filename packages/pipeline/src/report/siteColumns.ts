import type { ComparisonRow } from './comparison.ts';
import { describeSite, type SiteDescription } from './describeSite.ts';

/** A column of the heat map: a site, or the gap between two blocks. */
export type SiteColumn = (SiteDescription & { readonly name: string }) | null;

/** Every site that any row solved: by block, inside a block in the order of the graph, sites outside the blocks last. */
export function siteColumns(rows: readonly Pick<ComparisonRow, 'sites'>[]): SiteColumn[] {
  const names = [...new Set(rows.flatMap(row => row.sites.map(site => site.name)))];
  const sites = names.map(name => ({ name, ...describeSite(name) }));
  const order = (block: number | null) => block ?? Number.POSITIVE_INFINITY;
  // The sort is stable; two infinities must not be subtracted.
  sites.sort((a, b) => (a.block === b.block ? 0 : order(a.block) - order(b.block)));
  return sites.flatMap((site, index) => (index > 0 && site.block !== sites[index - 1]!.block ? [null, site] : [site]));
}
