import { bestBySize } from './bestBySize.ts';
import type { Comparison, ComparisonRow } from './comparison.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatBytes } from './formatBytes.ts';
import { formatFigure } from './formatFigure.ts';
import { frontRows } from './frontRows.ts';
import { methodFamily } from './methodFamily.ts';
import type { PlotMeasure } from './plotMeasure.ts';
import { rowLabel } from './rowLabel.ts';

const TOLERANCE = 0.05;

/** What came out, in sentences and one small table, all computed from the rows. */
export function summarySection(comparison: Comparison, measure: PlotMeasure): string {
  const made = comparison.rows.filter(row => row.failure === null);
  const families = new Set(made.map(row => methodFamily(row.method)));
  const front = frontRows(comparison, measure);
  const failed = comparison.rows.length - made.length;
  const sentences = [
    `${count(made.length, 'row')} of ${count(families.size, 'method')}, ` +
      `sorted by the bytes they store${failed > 0 ? `; ${count(failed, 'row')} could not be made` : ''}.`,
    front.length > 0
      ? `${count(front.length, 'row')} ${front.length === 1 ? 'stands' : 'stand'} on the Pareto front: no other row is both ` +
        'smaller and better.'
      : '',
    nearOriginal(comparison, measure),
  ];
  return `<p class="lead">${sentences.filter(Boolean).join(' ')}</p>\n${bestTable(comparison, measure)}`;
}

function nearOriginal(comparison: Comparison, measure: PlotMeasure): string {
  const { original } = measure;
  if (original === null) {
    return 'No text was evaluated, so rows are judged by their mean relative output error.';
  }
  const scored = comparison.rows.filter(row => Number.isFinite(measure.valueOf(row) ?? Number.NaN));
  const near = scored
    .filter(row => measure.valueOf(row)! <= original * (1 + TOLERANCE))
    .toSorted((a, b) => a.storedBytes - b.storedBytes || measure.valueOf(a)! - measure.valueOf(b)!)[0];
  const limit = `${formatFigure(100 * TOLERANCE, 1)} % of the original’s perplexity of ${formatFigure(original)}`;
  if (near) return `The smallest row within ${limit} is ${sized(comparison, near)}.`;
  const best = scored.toSorted((a, b) => measure.valueOf(a)! - measure.valueOf(b)!)[0];
  return best ? `No row stays within ${limit}; the nearest is ${sized(comparison, best)}.` : '';
}

function sized(comparison: Comparison, row: ComparisonRow): string {
  const share = (100 * row.storedBytes) / comparison.original.bytes;
  const ofOriginal = Number.isFinite(share) ? `, ${formatFigure(share, 3)} % of 16-bit weights` : '';
  return `<strong>${escapeHtml(rowLabel(row))}</strong> (${formatBytes(row.storedBytes)}${ofOriginal})`;
}

function bestTable(comparison: Comparison, measure: PlotMeasure): string {
  const best = bestBySize(comparison, measure);
  if (best.length === 0) return '';
  const title = measure.name === 'perplexity' ? 'Perplexity' : 'Relative output error';
  const rows = best.map(({ range, row, rowCount }) => {
    const value = measure.valueOf(row)!;
    const error = measure.standardErrorOf(row);
    const change = measure.original === null ? '' : `<td class="number">${changeOf(value, measure.original)}</td>`;
    return (
      `<tr><th scope="row">${range}</th><td>${escapeHtml(rowLabel(row))}</td>` +
      `<td class="number">${formatBytes(row.storedBytes)}</td>` +
      `<td class="number">${formatFigure(value)}${error === null ? '' : ` ± ${formatFigure(error, 2)}`}</td>` +
      `${change}<td class="number">${rowCount}</td></tr>`
    );
  });
  const change = measure.original === null ? '' : '<th scope="col" class="number">Against original</th>';
  return (
    `<div class="scroll" role="region" aria-label="Best row by size" tabindex="0"><table class="best">\n<caption>Best row by size</caption>\n` +
    `<thead><tr><th scope="col">Bits per weight</th><th scope="col">Best row</th><th scope="col" class="number">Stored</th>` +
    `<th scope="col" class="number">${title}</th>${change}<th scope="col" class="number">Rows</th></tr></thead>\n` +
    `<tbody>\n${rows.join('\n')}\n</tbody></table></div>`
  );
}

function changeOf(value: number, original: number): string {
  const ratio = value / original;
  if (ratio >= 10) return `× ${formatFigure(ratio, 3)}`;
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 10 ? 2 : 1)} %`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
