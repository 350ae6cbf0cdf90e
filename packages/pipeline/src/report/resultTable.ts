import type { Comparison, ComparisonRow } from './comparison.ts';
import { describeSite } from './describeSite.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatCount } from './formatCount.ts';
import { formatDuration } from './formatDuration.ts';
import { formatFigure } from './formatFigure.ts';

interface Column {
  readonly title: string;
  /** The cell's text, escaped. */
  readonly cell: (row: ComparisonRow, comparison: Comparison) => string;
  readonly isText?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'Ratio', cell: row => formatFigure(row.ratio, 2) },
  { title: 'Stored bytes', cell: row => formatCount(row.storedBytes) },
  { title: 'Bits per weight', cell: row => row.bitsPerWeight.toFixed(3) },
  { title: 'Part of 16 bits', cell: (row, { original }) => percentOf(row.storedBytes, original.bytes) },
  { title: 'Perplexity', cell: row => formatFigure(row.perplexity, 5) },
  { title: 'Standard error', cell: row => formatFigure(row.standardError, 2) },
  { title: 'nats/token more', cell: row => signed(row.nllDifference) },
  { title: 'Its standard error', cell: row => formatFigure(row.nllDifferenceStandardError, 2) },
  { title: 'KL divergence', cell: row => formatFigure(row.klDivergence, 3) },
  { title: 'Mean output error', cell: row => formatFigure(row.relativeOutputError, 3) },
  { title: 'Largest output error', cell: worstSite },
  { title: 'Solve time', cell: row => formatDuration(row.solveMs) },
  { title: 'Options', cell: optionsOf, isText: true },
];

/** Every row and every figure, sorted by stored bytes; rows that could not be made stand last and say why. */
export function resultTable(comparison: Comparison, front: ReadonlySet<ComparisonRow>): string {
  const heads = COLUMNS.map(
    ({ title, isText }) => `<th scope="col"${isText ? '' : ' class="number"'}>${title}</th>`,
  ).join('');
  const order = [false, true].flatMap(failed => comparison.rows.filter(row => (row.failure !== null) === failed));
  const rows = order.map(row => rowOf(row, comparison, front.has(row)));
  return (
    '<div class="scroll" role="region" aria-label="All rows" tabindex="0"><table class="results">\n' +
    `<thead><tr><th scope="col">Method</th>${heads}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table></div>`
  );
}

function rowOf(row: ComparisonRow, comparison: Comparison, isOnFront: boolean): string {
  const mark = isOnFront ? ' <span class="mark" title="on the Pareto front">front</span>' : '';
  const head = `<th scope="row">${escapeHtml(row.method)}${mark}</th>`;
  if (row.failure !== null) {
    const ratio = `<td class="number">${formatFigure(row.ratio, 2)}</td>`;
    return `<tr class="failed">${head}${ratio}<td colspan="${COLUMNS.length - 1}">failed: ${escapeHtml(row.failure)}</td></tr>`;
  }
  const cells = COLUMNS.map(
    ({ cell, isText }) => `<td${isText ? ' class="options"' : ' class="number"'}>${cell(row, comparison)}</td>`,
  );
  return `<tr${isOnFront ? ' class="front"' : ''}>${head}${cells.join('')}</tr>`;
}

function worstSite(row: ComparisonRow): string {
  let worst: { readonly name: string; readonly error: number } | null = null;
  for (const { name, relativeOutputError: error } of row.sites) {
    if (error !== null && (worst === null || error > worst.error)) worst = { name, error };
  }
  if (worst === null) return '–';
  const { block, type } = describeSite(worst.name);
  const place = block === null ? type : `${block}.${type}`;
  const name = `<span class="place" title="${escapeHtml(worst.name)}">${escapeHtml(place)}</span>`;
  return `${formatFigure(worst.error, 3)} ${name}`;
}

function optionsOf(row: ComparisonRow): string {
  const entries = Object.entries(row.options).map(([key, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
    return `${key}=${text}`;
  });
  return entries.length === 0 ? '–' : entries.map(entry => `<span>${escapeHtml(entry)}</span>`).join(' ');
}

function percentOf(bytes: number, whole: number): string {
  return whole > 0 ? `${((100 * bytes) / whole).toFixed(1)} %` : '–';
}

function signed(value: number | null): string {
  return value !== null && value > 0 ? `+${formatFigure(value, 3)}` : formatFigure(value, 3);
}
