import type { Comparison } from './comparison.ts';
import { convergenceSection } from './convergenceSection.ts';
import { errorHeatMap } from './errorHeatMap.ts';
import { escapeHtml } from './escapeHtml.ts';
import { comparisonScores } from './evaluation/comparisonScores.ts';
import { formatCount } from './formatCount.ts';
import { formatFigure } from './formatFigure.ts';
import { frontRows } from './frontRows.ts';
import { htmlPage, type Section } from './htmlPage.ts';
import { paretoPlot } from './paretoPlot.ts';
import { plotMeasure } from './plotMeasure.ts';
import { type PlotPoints, plotPoints } from './plotPoints.ts';
import { resultTable } from './resultTable.ts';
import { rowLabel } from './rowLabel.ts';
import { settingsSection } from './settingsSection.ts';
import { summarySection } from './summarySection.ts';

/**
 * A comparison as one HTML page that needs no network and no script: summary, Pareto plot, table, errors by site, convergence, settings. The same
 * comparison gives the same bytes, and every string of it is escaped.
 */
export function renderReport(comparison: Comparison): string {
  const measure = plotMeasure(comparison);
  const front = new Set(frontRows(comparison, measure));
  const points = plotPoints(comparison, measure);
  const heatMap = errorHeatMap(comparison.rows);
  const { path } = comparison.model;
  const name = path.split(/[/\\]/).filter(Boolean).at(-1) ?? path;
  const sections: Section[] = [
    ['summary', 'What came out', summarySection(comparison, measure)],
    ['pareto', `${capitalized(measure.name)} against size`, paretoFigure(comparison, points)],
    ['rows', 'All rows', resultTable(comparison, front)],
    ...comparisonScores(comparison, measure),
    ['failures', 'Rows that could not be made', failures(comparison)],
    ['sites', 'Relative output error by site', heatMap ?? '<p class="note">No row holds errors by site.</p>'],
    ['convergence', 'Convergence', convergenceSection(comparison.rows, points.families)],
    ['settings', 'Settings', settingsSection(comparison)],
  ];
  return htmlPage(`${name}: compression compared`, subtitle(comparison), sections);
}

function subtitle({ model, evaluation, original }: Comparison): string {
  const parts = [`${formatCount(model.elementCount)} weights`];
  if (original.perplexity !== null) parts.push(`original perplexity ${formatFigure(original.perplexity)}`);
  if (evaluation) {
    parts.push(`${formatCount(evaluation.tokenCount)} tokens of ${escapeHtml(evaluation.data)}`);
    parts.push(`windows of ${formatCount(evaluation.windowLength)}`);
  }
  return parts.join(' · ');
}

function paretoFigure(comparison: Comparison, data: PlotPoints): string {
  if (data.points.length === 0) return '<p class="note">No row has a figure to draw.</p>';
  const hasErrors = data.points.some(point => point.standardError !== null);
  const offScale = data.points.filter(point => point.isOffScale);
  const notes = [
    'Lower left is better. Rings mark the rows of the Pareto front.',
    hasErrors
      ? 'Bars: one standard error over windows; all rows score the same text, so differences between rows are firmer than the bars.'
      : '',
    offScale.length > 0
      ? `Arrows: beyond the axis (${offScale.map(point => `${escapeHtml(point.label)} ${formatFigure(point.value, 3)}`).join(', ')}).`
      : '',
    undrawn(comparison, data),
  ];
  return `<figure>
${paretoPlot(comparison, data)}
<figcaption>${notes.filter(Boolean).join(' ')}</figcaption>
</figure>`;
}

function undrawn(comparison: Comparison, { measure }: PlotPoints): string {
  const labels = comparison.rows
    .filter(row => row.failure === null && !Number.isFinite(measure.valueOf(row) ?? Number.NaN))
    .map(row => escapeHtml(rowLabel(row)));
  return labels.length > 0 ? `Not drawn, without a finite ${measure.name}: ${labels.join(', ')}.` : '';
}

function failures({ rows }: Comparison): string {
  const failed = rows.filter(row => row.failure !== null);
  if (failed.length === 0) return '';
  const items = failed.map(
    row => `<li><strong>${escapeHtml(rowLabel(row))}</strong>: ${escapeHtml(row.failure!)}</li>`,
  );
  return `<ul class="failures">\n${items.join('\n')}\n</ul>`;
}

function capitalized(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
