import type { Comparison } from './comparison.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatCount } from './formatCount.ts';

/** All that is needed to make the comparison again: versions, texts, hashes, settings. */
export function settingsSection(comparison: Comparison): string {
  const { model, evaluation, calibration, original } = comparison;
  const entries: [string, string][] = [
    ['Quern', comparison.version],
    ['Model', model.path],
    ...model.sha256.map((hash): [string, string] => ['Model sha256', hash]),
    ['Weights compared', `${formatCount(model.elementCount)} (${formatCount(original.bytes)} bytes at 16 bits)`],
    [
      'Evaluation',
      evaluation === null
        ? 'none'
        : `${evaluation.data}, windows of ${evaluation.windowLength} tokens every ${evaluation.stride}, ` +
          `${formatCount(evaluation.tokenCount)} tokens scored`,
    ],
    [
      'Calibration',
      calibration === null
        ? 'none'
        : `${calibration.data}, ${formatCount(calibration.windows)} windows of ${calibration.windowLength} tokens`,
    ],
    ...(calibration === null ? [] : [['Calibration sha256', calibration.sha256] as [string, string]]),
    ...Object.entries(comparison.settings).map(([key, value]): [string, string] => [key, asText(value)]),
  ];
  const items = entries.map(([term, text]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd></div>`);
  return `<dl class="settings">\n${items.join('\n')}\n</dl>`;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value));
}
