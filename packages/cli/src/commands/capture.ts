import type { CapturePlan, CaptureResult, Emit } from '@quern/pipeline';
import type { Command, Option } from 'commander';
import { addCompressOptions, type CompressFlags } from '../compressFlags.ts';
import { formatBytes, formatCount } from '../format.ts';
import { table } from '../table.ts';

/** Flags of compress that say how to solve, write or score. */
const OTHERS: readonly (keyof CompressFlags)[] = [
  ...(['method', 'bits', 'methods', 'groupSize', 'ratio'] as const),
  ...(['bitsPerWeight', 'targetSize', 'maxPerplexityIncrease'] as const),
  ...(['headBits', 'storage', 'target', 'accuracyLevel', 'layout', 'evaluate', 'perDocument'] as const),
];

export function captureCommand(): Command {
  const command = addCompressOptions('capture').description(
    'Run the calibration once and keep its statistics, for compress and compare with --statistics; those of several texts add up. ' +
      'Takes every flag of compress; those that say how to solve, write or score change nothing.',
  );
  for (const option of command.options) if (isOther(option)) option.hideHelp();
  return command.action(async (model: string, flags: CompressFlags) => {
    const { captureModel, planCapture } = await import('@quern/pipeline');
    const { runCommand } = await import('../runCommand.ts');
    const { compressRequest } = await import('../compressRequest.ts');
    const request = await compressRequest(model, flags, !flags.dryRun);
    const warned = ({ emit }: { readonly emit: Emit }): Emit => {
      warnOfOthers(command, flags, emit);
      return emit;
    };
    if (flags.dryRun) await runCommand(flags.json, run => planCapture(request, warned(run)), renderPlan);
    else await runCommand(flags.json, run => captureModel(request, warned(run), run.signal), renderCapture);
  });
}

function isOther(option: Option): boolean {
  return OTHERS.includes(option.attributeName() as keyof CompressFlags);
}

/** Says of flags on the command line that they have no effect here. */
function warnOfOthers(command: Command, { evaluate }: CompressFlags, emit: Emit): void {
  const given = command.options.filter(option => {
    const name = option.attributeName();
    const asksForNothing = name === 'evaluate' && evaluate === 'none';
    return isOther(option) && !asksForNothing && command.getOptionValueSource(name) === 'cli';
  });
  if (given.length === 0) return;
  const names = given.map(({ long }) => long).join(', ');
  emit({
    kind: 'warning',
    message: `${names}: without effect, capture neither solves nor scores; give to compress or compare with --statistics`,
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
