import { benjaminiHochberg } from '@quern/evaluator';
import type { ComparisonRow } from '../report/comparison.ts';

/** Rows with their p-values adjusted for how many rows were scored. */
export function adjustRows(rows: readonly ComparisonRow[]): ComparisonRow[] {
  const adjusted = benjaminiHochberg(rows.flatMap(({ scores }) => (scores ? [scores.pValue] : [])));
  let next = 0;
  return rows.map(row => (row.scores ? { ...row, scores: { ...row.scores, adjustedPValue: adjusted[next++]! } } : row));
}
