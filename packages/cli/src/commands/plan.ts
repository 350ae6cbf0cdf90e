import type { CompressPlan, PlannedFigure } from '@quern/pipeline';
import type { Command } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { figureNames } from '../figureNames.ts';
import { formatBytes } from '../format.ts';
import { renderBudgetPlan } from '../renderBudget.ts';
import { table } from '../table.ts';

export function planCommand(): Command {
  const command = addCompressOptions('plan').description('Say what compress would do: sites, widths, sizes.');
  return command.action(async (model: string, flags: CompressFlags) => {
    const { planCompression } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest } = await import('../compressRequest.ts');
    const request = await compressRequest(model, flags, false);
    await runCommand(flags.json, ({ emit }) => planCompression(request, emit), renderPlan);
  });
}

export function renderPlan(plan: CompressPlan): string {
  const rows = plan.sites.map(site => [
    site.name,
    `${site.outFeatures} x ${site.inFeatures}`,
    site.solver,
    String(Number(site.nominalBits.toFixed(3))),
    site.groupSize === null ? '-' : site.groupSize === site.inFeatures ? 'channel' : String(site.groupSize),
    formatBytes(site.storageBits / 8),
    figureNames[site.figure],
  ]);
  const bits = plan.bitsPerWeight === null ? '' : `, ${plan.bitsPerWeight.toFixed(3)} stored bits a weight`;
  const total = `${plan.sites.length} sites, ${plan.storage}: ${formatBytes(plan.storedBytes)}${bits} (${figureNames[plan.figure]})`;
  const figures = new Set(plan.sites.map(site => site.figure));
  const remarks = Object.entries(REMARKS).filter(([figure]) => figures.has(figure as PlannedFigure));
  return [
    table(['site', 'shape', 'method', 'bits', 'group', 'stored', 'figure'], rows),
    total,
    ...(plan.budget ? renderBudgetPlan(plan.budget) : []),
    ...remarks.map(([figure, text]) => `${figureNames[figure as PlannedFigure]}: ${text}`),
  ].join('\n');
}

/** What the figures that are not exact mean. */
const REMARKS: Readonly<Partial<Record<PlannedFigure, string>>> = {
  atMost: 'codes as bit planes; the file is known when it is packed',
  target: 'met by all these sites together; the share of each comes with the run',
  atLeast: 'what packed files would take; this storage is wider, by how much comes with the run',
  estimate: 'an even share of a ratio, or what packing took alone; the run knows',
};
