import { CompressionError } from '@quern/core';
import type { TaskResult, TasksRequest, TasksResult } from '@quern/pipeline';
import type { Command } from 'commander';
import type { CodeFlags } from './codeEvaluation.ts';
import { formatPerplexity, formatSeconds } from './format.ts';
import { type DeviceFlags, names } from './options.ts';
import { table } from './table.ts';

export interface TaskFlags {
  readonly tasks?: readonly string[];
  readonly taskData?: string;
  readonly limit?: number;
}

/** Adds the flags of multiple-choice tasks to evaluate; `--limit` is that of code tasks. */
export function addTaskOptions(command: Command): Command {
  return command
    .option(
      '--tasks <list>',
      'score log-likelihood tasks, by commas: arc_easy, arc_challenge, piqa, winogrande, openbookqa, copa, boolq, wsc273, lambada_openai, or a definition of your own (.json)',
      names,
    )
    .option(
      '--task-data <folder|file>',
      'folder with the JSON lines of the tasks, gzipped or not; for one task its file',
    );
}

/** The request of a command line with --tasks; null for one without. Errors: USAGE for flags that lack or exclude another one. */
export function tasksRequest(
  model: string | undefined,
  flags: TaskFlags & DeviceFlags & Pick<CodeFlags, 'code' | 'tokenizer'> & { readonly baseline?: string },
): TasksRequest | null {
  const { tasks, taskData, code } = flags;
  if (tasks === undefined) {
    if (taskData === undefined) return null;
    throw new CompressionError('USAGE', '--task-data needs --tasks <list>, such as --tasks arc_easy,piqa.');
  }
  if (code !== undefined)
    throw new CompressionError('USAGE', '--tasks and --code are two evaluations: run one of them.');
  if (model === undefined) throw new CompressionError('USAGE', '--tasks needs a model.');
  if (taskData === undefined) {
    throw new CompressionError(
      'USAGE',
      '--tasks needs --task-data <folder>: the folder with their JSON lines, such as arc_easy.jsonl.gz.',
    );
  }
  return { ...flags, model, tasks, data: taskData };
}

/** The result of tasks as text: a line for each task, against a baseline one for each of its figures. */
export function renderTasks({ model, baseline, device, tokenCount, durationMs, tasks }: TasksResult): string {
  const against = baseline === null ? '' : ` against ${baseline}`;
  const lines = baseline === null ? plainTable(tasks) : comparedTable(tasks);
  return [
    `${model}${against}, no examples, ${device}; ${tokenCount} tokens in ${formatSeconds(durationMs / 1000)}`,
    lines,
    ...(baseline === null ? [] : ['lost: right before, wrong now; p: exact McNemar test']),
    ...tasks.filter(({ leftOut, cut }) => leftOut + cut > 0).map(describeShortened),
  ].join('\n');
}

function plainTable(tasks: readonly TaskResult[]): string {
  const rows = tasks.map(({ task, itemCount, accuracy, normalizedAccuracy, chance, perplexity }) => [
    task,
    String(itemCount),
    percent(accuracy),
    normalizedAccuracy ? percent(normalizedAccuracy) : '-',
    chance === null ? '-' : (100 * chance).toFixed(1),
    perplexity ? withError(perplexity) : '-',
  ]);
  return table(['task', 'items', 'acc', 'acc_norm', 'chance', 'perplexity'], rows);
}

function comparedTable(tasks: readonly TaskResult[]): string {
  const rows = tasks.flatMap(({ task, itemCount, accuracy, normalizedAccuracy, perplexity, baseline }) => {
    const { flips, ...before } = baseline!;
    const row = (measure: string, was: string, is: string, changed: typeof flips.accuracy | null) => [
      task,
      String(itemCount),
      measure,
      was,
      is,
      changed ? `${changed.lost}/${changed.gained}` : '-',
      changed ? changed.pValue.toPrecision(2) : '-',
    ];
    const normalized = normalizedAccuracy && before.normalizedAccuracy;
    return [
      row('acc', percent(before.accuracy), percent(accuracy), flips.accuracy),
      ...(normalized
        ? [row('acc_norm', percent(normalized), percent(normalizedAccuracy), flips.normalizedAccuracy)]
        : []),
      ...(perplexity && before.perplexity
        ? [row('perplexity', withError(before.perplexity), withError(perplexity), null)]
        : []),
    ];
  });
  return table(['task', 'items', 'figure', 'baseline', 'model', 'lost/gained', 'p'], rows);
}

function percent({ value, standardError }: TaskResult['accuracy']): string {
  return `${(100 * value).toFixed(2)} +- ${(100 * standardError).toFixed(2)}`;
}

function withError({ value, standardError }: TaskResult['accuracy']): string {
  return `${formatPerplexity(value)} +- ${formatPerplexity(standardError)}`;
}

function describeShortened({ task, leftOut, cut }: TaskResult): string {
  return `${task}: ${leftOut} items left out, ${cut} texts cut to the context`;
}
