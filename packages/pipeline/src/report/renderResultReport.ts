import type { ResultManifest } from '../output/readManifest.ts';
import { convergenceCurve, sweptSites } from './convergenceCurves.ts';
import { CURVE_NOTE, convergenceFigure } from './convergenceSection.ts';
import { describeSite } from './describeSite.ts';
import { errorHeatMap } from './errorHeatMap.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatBytes } from './formatBytes.ts';
import { formatCount } from './formatCount.ts';
import { formatDuration } from './formatDuration.ts';
import { formatFigure } from './formatFigure.ts';
import { htmlPage, type Section } from './htmlPage.ts';
import { siteTable } from './siteTable.ts';

/** What one compression made, as one HTML page without script or network: figures, errors by site, how its solvers converged. */
export function renderResultReport(folder: string, manifest: ResultManifest): string {
  const name = folder.split(/[/\\]/).filter(Boolean).at(-1) ?? folder;
  const solved = manifest.sites.map(site => ({ ...site, elementCount: 0 })); // which the manifest does not have
  const heatMap = errorHeatMap([{ method: String(manifest.recipe.method), ratio: null, sites: solved }]);
  const sections: Section[] = [
    ['summary', 'What came out', summary(manifest)],
    ['sites', 'Relative output error by site', heatMap ?? ''],
    ['convergence', 'Convergence', convergence(manifest)],
    ['rows', 'All sites', siteTable(manifest.sites)],
    ['settings', 'Settings', settings(manifest)],
  ];
  const methods = [...new Set(manifest.sites.map(({ solver }) => solver))].map(escapeHtml).join(', ');
  return htmlPage(
    `${name}: compressed`,
    `${formatCount(manifest.sites.length)} sites by ${methods || 'none'}`,
    sections,
  );
}

function summary({ storage, perplexity, sites, durationMs }: ResultManifest): string {
  const errors = sites.flatMap(({ relativeOutputError: error }) => (error === null ? [] : [error]));
  const facts: [string, string][] = [
    ['Graph and data', `${formatBytes(storage.originalBytes)} before, ${formatBytes(storage.compressedBytes)} after`],
    [
      'Solved weights',
      `${formatBytes(storage.storedBytes)}${storage.bitsPerWeight === null ? '' : `, ${formatFigure(storage.bitsPerWeight)} stored bits a weight`}`,
    ],
    ...(errors.length === 0
      ? []
      : [
          [
            'Relative output error',
            `${formatFigure(errors.reduce((sum, error) => sum + error, 0) / errors.length, 3)} on average, ${formatFigure(
              errors.reduce((a, b) => Math.max(a, b)),
              3,
            )} at most`,
          ] as [string, string],
        ]),
    ...(perplexity === null
      ? []
      : ([
          [
            'Perplexity',
            `${formatFigure(perplexity.before)} before, ${formatFigure(perplexity.after)} ± ${formatFigure(perplexity.standardError, 2)} after (${formatCount(perplexity.tokenCount)} tokens of ${escapeHtml(perplexity.data)})`,
          ],
          [
            'Nats per token more',
            `${formatFigure(perplexity.nllDifference, 3)} ± ${formatFigure(perplexity.nllDifferenceStandardError, 2)} (paired)`,
          ],
        ] as [string, string][])),
    ['Time', formatDuration(durationMs)],
  ];
  const items = facts.map(([title, value]) => `<div><dt>${title}</dt><dd>${value}</dd></div>`);
  return `<dl class="facts">\n${items.join('\n')}\n</dl>`;
}

/** A plot for each method with a line for each kind of site, the kinds in the order of the graph. */
function convergence({ sites }: ResultManifest): string {
  const swept = sweptSites(sites);
  const kinds = [...new Set(swept.map(({ name }) => describeSite(name).type))];
  const methods = [...new Set(swept.map(({ solver }) => solver))];
  if (methods.length === 0) return '';
  const panels = methods.map(method => ({
    title: methods.length === 1 ? '' : method,
    curves: kinds.flatMap((kind, style) => {
      const members = swept.filter(site => site.solver === method && describeSite(site.name).type === kind);
      return members.length === 0 ? [] : [{ ...convergenceCurve(kind, members), style }];
    }),
  }));
  return convergenceFigure(panels, `${CURVE_NOTE} A line for each kind of site.`);
}

function settings({ versions, source, recipe, calibration }: ResultManifest): string {
  const entries: [string, unknown][] = [
    ...Object.entries(versions),
    ...source.map(({ file, sha256 }): [string, unknown] => ['Source', `${file}, sha256 ${sha256}`]),
    ['Calibration', calibration],
    ['Recipe', recipe],
  ];
  const items = entries.map(([term, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? String(value));
    return `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd></div>`;
  });
  return `<dl class="settings">\n${items.join('\n')}\n</dl>`;
}
