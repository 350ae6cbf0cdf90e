import { type FactorFormat, factorStorageBits } from '../lowRank/factorStorageBits.ts';
import type { SiteChoice, SiteSpectrum } from './siteSpectrum.ts';

/** What the choices for one site cost, in bits. */
export interface SiteSizes {
  readonly denseBits: number;
  /** The highest rank that takes fewer bits than the dense weight; at least 1. */
  readonly highestRank: number;
  /** Bits of a choice. */
  readonly bitsOf: (choice: SiteChoice) => number;
  /** The next larger choice: one component more, or dense once that is no larger. Null for dense. */
  readonly next: (choice: SiteChoice) => SiteChoice | null;
}

/** Sizes of one site with factors of the given format. */
export function siteSizes(site: Pick<SiteSpectrum, 'outFeatures' | 'inFeatures'>, format: FactorFormat): SiteSizes {
  const { outFeatures, inFeatures } = site;
  const fullRank = Math.min(outFeatures, inFeatures);
  const denseBits = 16 * outFeatures * inFeatures;
  const bits = Float64Array.from({ length: fullRank + 1 }, (_, rank) =>
    rank === 0 ? 0 : factorStorageBits({ outFeatures, inFeatures }, rank, format),
  );
  let highestRank = 1;
  while (highestRank < fullRank && bits[highestRank + 1]! < denseBits) highestRank++;
  return {
    denseBits,
    highestRank,
    bitsOf: choice => (choice === 'dense' ? denseBits : bits[choice.rank]!),
    next: choice => (choice === 'dense' ? null : choice.rank < highestRank ? { rank: choice.rank + 1 } : 'dense'),
  };
}
