import type { Convergence } from '@quern/core';

/** A site that was solved by sweeps. */
export type SweptSite = { readonly convergence: Convergence };

/** How several sites converged, on average. */
export interface ConvergenceCurve {
  readonly name: string;
  /** Mean over the sites of what each sweep left over; a site that is done keeps its last value. */
  readonly means: readonly number[];
  /** Mean of what is left as the factors are stored: the mean squared relative output error. */
  readonly stored: number;
  readonly siteCount: number;
  /** Sites whose sweeps ended because they gained too little. */
  readonly settledCount: number;
}

/** The curve of sites with figures, at least one. */
export function convergenceCurve(name: string, sites: readonly SweptSite[]): ConvergenceCurve {
  const swept = sites.map(({ convergence }) => convergence.objectives.slice(0, -1));
  const length = swept.reduce((longest, { length }) => Math.max(longest, length), 0);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    means: Array.from({ length }, (_, sweep) => mean(swept.map(values => values[sweep] ?? values.at(-1) ?? 0))),
    stored: mean(sites.map(({ convergence }) => convergence.objectives.at(-1)!)),
    siteCount: sites.length,
    settledCount: sites.filter(({ convergence }) => convergence.stoppedBy === 'tolerance').length,
  };
}

/** Those of the sites that were solved by sweeps. */
export function sweptSites<Site extends { readonly convergence?: Convergence | undefined }>(
  sites: readonly Site[],
): (Site & SweptSite)[] {
  return sites.flatMap(site => (site.convergence === undefined ? [] : [{ ...site, convergence: site.convergence }]));
}
