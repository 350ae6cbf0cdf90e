import { CompressionError } from '@quern/core';
import { Command } from 'commander';
import { addCodeOptions, type CodeFlags, codeRequest, renderCode } from '../codeEvaluation.ts';
import { addDeviceOptions, addWindowOptions, type DeviceFlags, type WindowFlags, wholeNumber } from '../options.ts';
import { renderEvaluation } from '../renderEvaluation.ts';
import { addTaskOptions, renderTasks, type TaskFlags, tasksRequest } from '../taskEvaluation.ts';

interface EvaluateFlags extends DeviceFlags, WindowFlags, CodeFlags, TaskFlags {
  readonly baseline?: string;
  readonly data: string;
  readonly stride?: number;
  readonly report?: string;
  readonly force?: boolean;
}

/** Flags of scores on a text, and the names of their values. */
const TEXT_FLAGS = [
  ['--data', 'data'],
  ['--stride', 'stride'],
  ['--window-length', 'windowLength'],
  ['--per-document', 'perDocument'],
] as const;

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description('Measure perplexity and the distance from a baseline, or score tasks, or run code tasks.')
    .argument('[model]', 'a checkpoint, an .onnx file, or a folder that compress wrote')
    .option('--baseline <model>', 'also report divergence from this model')
    .option('--data <set|file>', 'text: a set of `quern data list`, or a .txt/.jsonl file, gzipped or not', 'stories')
    .option('--stride <n>', 'tokens from one window to the next (default: the window length)', wholeNumber(1))
    .option('--report <folder>', 'with --baseline: write report.html, what changed down to documents and tokens')
    .option('--force', 'replace the report of an earlier evaluation');
  return addDeviceOptions(addCodeOptions(addTaskOptions(addWindowOptions(command)))).action(
    async (model, flags: EvaluateFlags, own: Command) => {
      const { evaluateCode, evaluateModel, evaluateTasks } = await import('@quern/pipeline');
      const { runCommand } = await import('../runCommand.ts');
      if (flags.report !== undefined && (flags.tasks ?? flags.code) !== undefined) {
        throw new CompressionError('USAGE', '--report draws scores on a text: leave out --tasks and --code.');
      }
      const ignored =
        flags.tasks === undefined ? [] : TEXT_FLAGS.filter(([, name]) => own.getOptionValueSource(name) === 'cli');
      if (ignored.length > 0) {
        const names = ignored.map(([flag]) => flag).join(', ');
        throw new CompressionError(
          'USAGE',
          `${names}: not for --tasks, whose texts are those of --task-data. Score a text in a run of its own.`,
        );
      }
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
