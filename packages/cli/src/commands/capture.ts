import type { CapturePlan, CaptureResult } from '@quern/pipeline';
import type { Command } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { formatBytes, formatCount } from '../format.ts';
import { table } from '../table.ts';

export function captureCommand(): Command {
  const command = addCompressOptions('capture').description(
    'Run the calibration once and keep its statistics, for compress and compare with --statistics; those of several texts add up.',
  );
  return command.action(async (model: string, flags: CompressFlags) => {
    const { captureModel, planCapture } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest } = await import('../compressRequest.ts');
    const request = await compressRequest(model, flags, !flags.dryRun);
    if (flags.dryRun) await runCommand(flags.json, ({ emit }) => planCapture(request, emit), renderPlan);
    else await runCommand(flags.json, ({ emit, signal }) => captureModel(request, emit, signal), renderCapture);
  });
}

function renderPlan({ inputs, bytes }: CapturePlan): string {
  const rows = inputs.map(({ name, inFeatures, readers }) => [name, String(inFeatures), readers.join(', ')]);
  return `${table(['input', 'features', 'read by'], rows)}\n${inputs.length} inputs, ${formatBytes(bytes)}`;
}

function renderCapture({ output, inputs, windowsUsed, bytes }: CaptureResult): string {
  const tokens = inputs.reduce((most, input) => Math.max(most, input.tokenCount), 0);
  return `${output}  (${inputs.length} inputs of ${formatCount(tokens)} tokens, ${windowsUsed} windows, ${formatBytes(bytes)})`;
}
