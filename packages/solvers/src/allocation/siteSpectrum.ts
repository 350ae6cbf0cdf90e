import type { WhitenedSpectrum } from './whitenedSpectrum.ts';

/** A site whose share of the bytes is to be decided. */
export interface SiteSpectrum extends WhitenedSpectrum {
  readonly name: string;
  /** Sites of one type stand at the same place of their blocks, such as all q projections. */
  readonly type: string;
  readonly outFeatures: number;
  readonly inFeatures: number;
}

/** What a site gets: so many components, or its weight stays as it is. */
export type SiteChoice = { readonly rank: number } | 'dense';
