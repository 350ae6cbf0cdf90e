import { CompressionError } from '@quern/core';
import type { EvaluateResult } from '@quern/pipeline';
import { Command } from 'commander';
import { addCodeOptions, type CodeFlags, codeRequest, renderCode } from '../codeEvaluation.ts';
import { formatPerplexity, formatSigned } from '../format.ts';
import { addDeviceOptions, addWindowOptions, type DeviceFlags, type WindowFlags, wholeNumber } from '../options.ts';
import { addTaskOptions, renderTasks, type TaskFlags, tasksRequest } from '../taskEvaluation.ts';

interface EvaluateFlags extends DeviceFlags, WindowFlags, CodeFlags, TaskFlags {
  readonly baseline?: string;
  readonly data: string;
  readonly stride?: number;
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('Measure perplexity and the distance from a baseline, or score tasks, or run code tasks.')
    .argument('[model]', 'a checkpoint, an .onnx file, or a folder that compress wrote')
    .option('--baseline <model>', 'also report divergence from this model')
    .option('--data <set|file>', 'text: a set of `quern data list`, or a .txt/.jsonl file, gzipped or not', 'stories')
    .option('--stride <n>', 'tokens from one window to the next (default: the window length)', wholeNumber(1));
  return addDeviceOptions(addCodeOptions(addTaskOptions(addWindowOptions(command)))).action(
    async (model, flags: EvaluateFlags) => {
      const { evaluateCode, evaluateModel, evaluateTasks } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      const tasks = tasksRequest(model, flags);
      if (tasks) return runCommand(flags.json, ({ emit, signal }) => evaluateTasks(tasks, emit, signal), renderTasks);
      const code = codeRequest(model, flags);
      if (code) return runCommand(flags.json, context => evaluateCode(code, context), renderCode);
      if (model === undefined) throw new CompressionError('USAGE', "error: missing required argument 'model'");
      await runCommand(
        flags.json,
        ({ emit, signal }) => evaluateModel({ ...flags, model, perDocument: flags.perDocument ?? false }, emit, signal),
        renderEvaluation,
      );
    },
  );
}

function renderEvaluation(result: EvaluateResult): string {
  const lines = [
    `${result.model} on ${result.data}: ${result.windowCount} windows, length ${result.windowLength}, stride ${result.stride}, ${result.device}`,
    `perplexity      ${formatPerplexity(result.perplexity)} +- ${formatPerplexity(result.standardError)}  (${result.tokenCount} tokens)`,
    `bits per byte   ${result.bitsPerByte.toFixed(4)}`,
  ];
  if (result.accuracyLevel !== null) {
    lines.push(
      `exact           ${formatPerplexity(result.exact)}  (as shipped: accuracy level ${result.accuracyLevel})`,
    );
  }
  if (result.baseline) {
    const { perplexity, nllDifference, nllDifferenceStandardError, klDivergence, topAgreement } = result.baseline;
    lines.push(
      `baseline        ${formatPerplexity(perplexity)}`,
      `nats per token  ${formatSigned(nllDifference, 5)} +- ${nllDifferenceStandardError.toFixed(5)}  (paired)`,
    );
    if (klDivergence !== null) lines.push(`KL divergence   ${klDivergence.toFixed(5)} nats`);
    if (topAgreement !== null) lines.push(`same top token  ${(100 * topAgreement).toFixed(2)} %`);
  }
  return lines.join('\n');
}
