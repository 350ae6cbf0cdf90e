import type { ComparisonRow } from './comparison.ts';

/** A row's name in plots and sentences: its method, and the ratio where one was asked for. */
export function rowLabel(row: Pick<ComparisonRow, 'method' | 'ratio'>): string {
  return row.ratio === null ? row.method : `${row.method} −${Number((100 * row.ratio).toFixed(1))} %`;
}
