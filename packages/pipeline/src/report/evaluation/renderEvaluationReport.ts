import { escapeHtml } from '../escapeHtml.ts';
import { formatCount } from '../formatCount.ts';
import { formatFigure } from '../formatFigure.ts';
import { htmlPage, type Section } from '../htmlPage.ts';
import { damageSection } from './damageSection.ts';
import { documentScatter } from './documentScatter.ts';
import type { EvaluationReport } from './evaluationReport.ts';
import { scoreTracks } from './scoreTracks.ts';

/** What compression broke, as one HTML page: scores before and after, tests, documents, and the texts that suffered most. */
export function renderEvaluationReport(report: EvaluationReport): string {
  const { evaluation, documents, damaged, data } = report;
  const name = report.model.split(/[/\\]/).filter(Boolean).at(-1) ?? report.model;
  const sections: Section[] = [
    ['summary', 'What changed', summary(report)],
    ['scores', 'Scores before and after', tracks(report)],
    ['tests', 'Could it be chance?', tests(report)],
    ['documents', 'Documents', scatter(report)],
    ['damaged', 'The most damaged documents', damageSection(damaged, documents)],
    ['settings', 'Settings', settings(report)],
  ];
  const subtitle = `${formatCount(evaluation.tokenCount)} tokens in ${formatCount(documents.length)} windows of ${escapeHtml(data.id)}`;
  return htmlPage(`${name}: what compression broke`, subtitle, sections);
}

function summary({ evaluation }: EvaluationReport): string {
  const { baseline } = evaluation;
  const { flips } = baseline;
  const rows: [string, string][] = [
    ['Nats per token more', plusMinus(baseline.nllDifference, baseline.nllDifferenceStandardError, 3)],
    ['KL divergence, mean', `${plusMinus(baseline.klDivergence, baseline.klDivergenceStandardError, 3)} nats`],
    ['KL divergence, 99 % below', plusMinus(baseline.klPercentile99, baseline.klPercentile99StandardError, 3)],
    [
      'KL divergence, largest',
      `${formatFigure(baseline.klMaximum, 3)} <span class="place">window ${baseline.klMaximumAt.window + 1}, scored token ${baseline.klMaximumAt.scoredToken + 1}</span>`,
    ],
    ['Same top token', share(baseline.topAgreement, baseline.topAgreementStandardError)],
    ['Old top token in new top five', share(baseline.topFiveAgreement, baseline.topFiveAgreementStandardError)],
    [
      'Flips a document',
      `${plusMinus(flips.perDocument, flips.perDocumentStandardError, 3)} <span class="place">${formatCount(flips.lost)} lost, ${formatCount(flips.gained)} gained in all</span>`,
    ],
    ['Documents that lost more than chance', formatCount(flips.documentsDamaged)],
  ];
  const items = rows.map(([title, value]) => `<div><dt>${title}</dt><dd>${value}</dd></div>`);
  return `<dl class="facts">\n${items.join('\n')}\n</dl>`;
}

function tracks({ evaluation }: EvaluationReport): string {
  const { baseline } = evaluation;
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  return scoreTracks([
    {
      name: 'perplexity',
      before: [baseline.perplexity, baseline.standardError],
      after: [evaluation.perplexity, evaluation.standardError],
    },
    ...(baseline.wordPerplexity === null || evaluation.wordPerplexity === null
      ? []
      : [
          {
            name: 'word perplexity',
            before: [baseline.wordPerplexity, baseline.wordPerplexityStandardError!] as const,
            after: [evaluation.wordPerplexity, evaluation.wordPerplexityStandardError!] as const,
          },
        ]),
    {
      name: 'bits per byte',
      before: [baseline.bitsPerByte, baseline.bitsPerByteStandardError],
      after: [evaluation.bitsPerByte, evaluation.bitsPerByteStandardError],
    },
    {
      name: 'next token right',
      before: [baseline.accuracy, baseline.accuracyStandardError],
      after: [evaluation.accuracy, evaluation.accuracyStandardError],
      format: percent,
    },
    {
      name: 'calibration error',
      before: [baseline.calibrationError, baseline.calibrationErrorStandardError],
      after: [evaluation.calibrationError, evaluation.calibrationErrorStandardError],
      format: percent,
    },
  ]);
}

const FIGURES = {
  nll: 'nats per token',
  accuracy: 'next token right',
  calibrationError: 'calibration error',
} as const;

function tests({ evaluation }: EvaluationReport): string {
  const rows = evaluation.baseline.tests.map(test => {
    const signed = (value: number): string => (value > 0 ? '+' : '') + formatFigure(value, 3);
    return (
      `<tr><th scope="row">${FIGURES[test.figure]}</th><td class="number">${signed(test.difference)}</td>` +
      `<td class="number">${signed(test.low)} to ${signed(test.high)}</td><td class="number">${formatFigure(test.pValue, 2)}</td>` +
      `<td class="number">${formatFigure(test.adjustedPValue, 2)}</td><td>${test.test}</td></tr>`
    );
  });
  return (
    '<div class="scroll" role="region" aria-label="Paired tests" tabindex="0"><table>\n' +
    '<thead><tr><th scope="col">Figure</th><th scope="col" class="number">Difference</th><th scope="col" class="number">95 % interval</th>' +
    '<th scope="col" class="number">p</th><th scope="col" class="number">Adjusted p</th><th scope="col">Test</th></tr></thead>\n' +
    `<tbody>\n${rows.join('\n')}\n</tbody></table></div>\n` +
    '<p class="note">Both models read the same tokens. Both scores of a window are kept together: most of what the bars above show is how much windows differ, ' +
    'which does not touch the difference. Intervals: paired bootstrap over windows; p is adjusted for three tests (Benjamini-Hochberg).</p>'
  );
}

function scatter({ documents, damaged }: EvaluationReport): string {
  const marked = damaged.map(({ window }) => window);
  const worse = documents.filter(({ before, after }) => after > before).length;
  return (
    `<figure>\n${documentScatter({ id: 'documents', documents, marked })}\n<figcaption>A mark for each window: above the dashed line it became harder ` +
    `(${formatCount(worse)} of ${formatCount(documents.length)}). Rings: the most damaged, below.</figcaption>\n</figure>`
  );
}

function settings(report: EvaluationReport): string {
  const { data } = report;
  const entries: [string, string][] = [
    ['Quern', report.version],
    ['Model', report.model],
    ['Baseline', report.baseline],
    ['Text', `${data.id}, sha256 ${data.sha256}`],
    [
      'Windows',
      `${report.windowLength} tokens every ${report.stride}${report.perDocument ? ', each document alone' : ''}`,
    ],
    ['Device', report.device],
    ['Seed of the bootstrap', String(report.evaluation.baseline.seed)],
  ];
  const items = entries.map(([term, text]) => `<div><dt>${term}</dt><dd>${escapeHtml(text)}</dd></div>`);
  return `<dl class="settings">\n${items.join('\n')}\n</dl>`;
}

function plusMinus(value: number, error: number, digits: number): string {
  return `${formatFigure(value, digits)} ± ${formatFigure(error, 2)}`;
}

function share(value: number, error: number): string {
  return `${(100 * value).toFixed(2)} ± ${(100 * error).toFixed(2)} %`;
}
