import type { PlannedFigure } from './planSizes.ts';

/** Figures, surest first. */
const ORDER: readonly PlannedFigure[] = ['exact', 'atMost', 'target', 'atLeast', 'estimate'];

/** What the sum of planned sizes says of the file: as the least sure of them, and an estimate where upper and lower bounds meet. */
export function totalFigure(sites: readonly { readonly figure: PlannedFigure }[]): PlannedFigure {
  const figures = new Set(sites.map(site => site.figure));
  if (figures.has('atMost') && (figures.has('target') || figures.has('atLeast'))) return 'estimate';
  return ORDER.findLast(figure => figures.has(figure)) ?? 'exact';
}
