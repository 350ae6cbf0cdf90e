import { plansInTotals } from './selectSites.ts';
import type { SitePlan } from './sitePlan.ts';

export interface StoredTotals {
  /** File bytes of the solved sites' tensors; sites beside the blocks are left out where there are blocks. */
  readonly storedBytes: number;
  /** Weights that those bytes stand for. */
  readonly elementCount: number;
  /** 8 storedBytes / elementCount; null when nothing is solved. */
  readonly bitsPerWeight: number | null;
}

/** Sums up what the solved sites take; `sites` holds an entry for every plan, in any order. */
export function storedTotals(
  plans: readonly SitePlan[],
  sites: readonly { readonly name: string; readonly storageBits: number }[],
): StoredTotals {
  const counted = plansInTotals(plans);
  const names = new Set(counted.map(plan => plan.site.name));
  const bits = sites.reduce((sum, site) => sum + (names.has(site.name) ? site.storageBits : 0), 0);
  const elementCount = counted.reduce((sum, { site }) => sum + site.outFeatures * site.inFeatures, 0);
  return { storedBytes: bits / 8, elementCount, bitsPerWeight: elementCount === 0 ? null : bits / elementCount };
}
