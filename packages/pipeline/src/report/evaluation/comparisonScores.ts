import type { Comparison, ComparisonRow } from '../comparison.ts';
import { escapeHtml } from '../escapeHtml.ts';
import { formatFigure } from '../formatFigure.ts';
import { frontRows } from '../frontRows.ts';
import type { Section } from '../htmlPage.ts';
import type { PlotMeasure } from '../plotMeasure.ts';
import { rowLabel } from '../rowLabel.ts';
import { damageSection } from './damageSection.ts';
import { documentScatter } from './documentScatter.ts';
import type { RowScores } from './rowScores.ts';
import { rowTracks } from './rowTracks.ts';

type ScoredRow = ComparisonRow & { readonly scores: RowScores };

/** Rows of the front that are shown with bars, scatters and texts; the smallest ones of more. */
const SHOWN = 12;

/** What rows broke, beyond perplexity: a table of all, bars, documents and texts of those on the Pareto front. Empty where no text was scored. */
export function comparisonScores(comparison: Comparison, measure: PlotMeasure): Section[] {
  const scored = comparison.rows.filter(isScored);
  if (scored.length === 0) return [];
  const front = frontRows(comparison, measure).filter(isScored).slice(0, SHOWN);
  const note = '<p class="note">Rows of the Pareto front. Bars: 95 %, from standard errors over windows.</p>\n';
  return [
    ['broken', 'What each row broke', scoreTable(scored)],
    ['scores', 'Scores before and after', front.length > 0 ? note + rowTracks(front) : ''],
    ['documents', 'Documents', front.length > 0 ? scatters(front) : ''],
    ['damaged', 'The most damaged documents', front.map(damageOf).join('\n')],
  ];
}

function isScored(row: ComparisonRow): row is ScoredRow {
  return row.scores !== null && row.failure === null;
}

function scoreTable(rows: readonly ScoredRow[]): string {
  const heads = [
    'nats/token more',
    '95 % interval',
    'Adjusted p',
    'KL, 99 % below',
    'KL, largest',
    'Same top token',
    'Top five',
    'Right, before',
    'Right, after',
    'Calibration error, before',
    'Calibration error, after',
    'Flips a window',
  ].map(title => `<th scope="col" class="number">${title}</th>`);
  const percent = ({ value, standardError }: RowScores['topAgreement']): string =>
    `${(100 * value).toFixed(2)} ± ${(100 * standardError).toFixed(2)} %`;
  const body = rows.map(row => {
    const { scores } = row;
    const { klPercentile99, flips } = scores;
    const cells = [
      `${formatFigure(row.nllDifference, 3)} ± ${formatFigure(row.nllDifferenceStandardError, 2)}`,
      `${formatFigure(scores.low, 3)} to ${formatFigure(scores.high, 3)}`,
      formatFigure(scores.adjustedPValue, 2),
      `${formatFigure(klPercentile99.value, 3)} ± ${formatFigure(klPercentile99.standardError, 2)}`,
      formatFigure(scores.klMaximum, 3),
      percent(scores.topAgreement),
      percent(scores.topFiveAgreement),
      percent(scores.before.accuracy),
      percent(scores.after.accuracy),
      percent(scores.before.calibrationError),
      percent(scores.after.calibrationError),
      `${formatFigure(flips.perDocument.value, 3)} ± ${formatFigure(flips.perDocument.standardError, 2)}`,
    ].map(cell => `<td class="number">${cell}</td>`);
    return `<tr><th scope="row">${escapeHtml(rowLabel(row))}</th>${cells.join('')}</tr>`;
  });
  return (
    '<div class="scroll" role="region" aria-label="What each row broke" tabindex="0"><table class="results">\n' +
    `<thead><tr><th scope="col">Method</th>${heads.join('')}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody></table></div>\n` +
    '<p class="note">Against the original on the same tokens, ± one standard error over windows. Intervals and p: paired bootstrap over windows; p is adjusted for the number of rows (Benjamini-Hochberg).</p>'
  );
}

function scatters(rows: readonly ScoredRow[]): string {
  const figures = rows.map((row, index) => {
    const { documents, damaged } = row.scores;
    const marked = damaged.map(({ window }) => window);
    return `<figure><h3>${escapeHtml(rowLabel(row))}</h3>\n${documentScatter({ id: `row-${index}`, documents, marked, isSmall: true })}\n</figure>`;
  });
  return (
    `<div class="multiples">\n${figures.join('\n')}\n</div>\n` +
    '<p class="note">A mark for each window: above the dashed line it became harder. Axes differ between rows. Rings: the most damaged, below.</p>'
  );
}

function damageOf(row: ScoredRow): string {
  const label = escapeHtml(rowLabel(row));
  return `<details><summary>${label}</summary>\n${damageSection(row.scores.damaged, row.scores.documents, rowLabel(row))}\n</details>`;
}
