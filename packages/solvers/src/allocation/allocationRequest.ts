import type { FactorFormat } from '../lowRank/factorStorageBits.ts';
import type { SiteSpectrum } from './siteSpectrum.ts';

/** What every allocation is given. */
export interface AllocationRequest {
  readonly sites: readonly SiteSpectrum[];
  /** Fraction of the sites' 16-bit weights to remove, [0, 1): all stored bits together stay below the rest. */
  readonly ratio: number;
  /** How factors are stored. */
  readonly format: FactorFormat;
}
