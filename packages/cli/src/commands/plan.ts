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
    await runCommand(flags.json, () => planCompression(request), renderPlan);
  });
}

export function renderPlan(plan: CompressPlan): string {
  const rows = plan.sites.map(site => [
    site.name,
    `${site.outFeatures} x ${site.inFeatures}`,
    site.solver,
    String(site.nominalBits),
    site.groupSize === null ? '-' : site.groupSize === site.inFeatures ? 'channel' : String(site.groupSize),
    formatBytes(site.storageBits / 8),
  ]);
  const total = `${plan.sites.length} sites, ${formatBytes(plan.storedBytes)}${
    plan.bitsPerWeight === null ? '' : `, ${plan.bitsPerWeight.toFixed(3)} stored bits a weight`
  }`;
  return `${table(['site', 'shape', 'method', 'bits', 'group', 'stored'], rows)}\n${total}`;
}
