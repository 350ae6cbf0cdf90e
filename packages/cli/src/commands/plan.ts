import type { CompressPlan } from '@quern/pipeline';
import type { Command } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { formatBytes } from '../format.ts';
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
  ]);
  const total = `${plan.sites.length} sites, ${formatBytes(plan.storedBytes)}${
    plan.bitsPerWeight === null ? '' : `, ${plan.bitsPerWeight.toFixed(3)} stored bits a weight`
  }`;
  return [table(['site', 'shape', 'method', 'bits', 'group', 'stored'], rows), total, ...remarks(plan)].join('\n');
}

/** What the figures of a packed result are. */
function remarks({ storage, sites }: CompressPlan): string[] {
  if (storage !== 'packed') return [];
  const isCoded = (site: CompressPlan['sites'][number]): boolean => site.solver === 'watersic';
  return [
    ...(sites.some(isCoded)
      ? ['watersic: a target for all its sites together; the run spreads the bits over them']
      : []),
    ...(sites.every(isCoded) ? [] : ['other methods: what kernels read; the packed file takes less']),
  ];
}
