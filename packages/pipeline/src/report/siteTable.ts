import type { ResultManifest } from '../output/readManifest.ts';
import { escapeHtml } from './escapeHtml.ts';
import { formatBytes } from './formatBytes.ts';
import { formatDuration } from './formatDuration.ts';
import { formatFigure } from './formatFigure.ts';

/** A line for each site: its method, size, error, sweeps and time. */
export function siteTable(sites: ResultManifest['sites']): string {
  if (sites.length === 0) return '';
  const hasSweeps = sites.some(({ convergence }) => convergence !== undefined);
  const rows = sites.map(({ name, solver, storageBits, relativeOutputError, durationMs, convergence }) => {
    const sweeps = convergence
      ? `${convergence.objectives.length - 1}${convergence.stoppedBy === 'tolerance' ? ' <span class="place">settled</span>' : ''}`
      : '–';
    return (
      `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(solver)}</td>` +
      `<td class="number">${formatBytes(storageBits / 8)}</td><td class="number">${formatFigure(relativeOutputError, 3)}</td>` +
      `${hasSweeps ? `<td class="number">${sweeps}</td>` : ''}<td class="number">${formatDuration(durationMs)}</td></tr>`
    );
  });
  const heading = (title: string): string => `<th scope="col" class="number">${title}</th>`;
  return (
    '<div class="scroll" role="region" aria-label="All sites" tabindex="0"><table class="results">\n' +
    `<thead><tr><th scope="col">Site</th><th scope="col">Method</th>${heading('Stored')}${heading('Output error')}` +
    `${hasSweeps ? heading('Measured sweeps') : ''}${heading('Time')}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table></div>`
  );
}
