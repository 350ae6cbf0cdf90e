import { CompressionError } from '@quern/core';
import type { TaskResult, TasksRequest, TasksResult } from '@quern/pipeline';
import type { Command } from 'commander';
import type { CodeFlags } from './codeEvaluation.ts';
import { formatPerplexity } from './format.ts';
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

/** The result of tasks as text. */
export function renderTasks(result: TasksResult): string {
  const rows = result.tasks.map(task => renderTask(task));
  const header = ['task', 'items', 'acc', 'acc_norm', 'chance', 'ppl'];
  if (result.baseline !== null) {
    header.push('baseline acc', 'lost/gained', 'p', 'baseline acc_norm', 'lost/gained', 'p');
  }
  const seconds = result.durationMs / 1000;
  return [
    `${result.model}${result.baseline === null ? '' : ` against ${result.baseline}`}, no examples, ${result.device}; ${result.tokenCount} tokens in ${seconds.toFixed(1)} s`,
    table(header, rows),
    ...notes(result),
  ].join('\n');
}

function renderTask({
  task,
  itemCount,
  accuracy,
  normalizedAccuracy,
  chance,
  perplexity,
  baseline,
}: TaskResult): string[] {
  const figures = [
    task,
    String(itemCount),
    percent(accuracy),
    normalizedAccuracy ? percent(normalizedAccuracy) : '-',
    chance === null ? '-' : (100 * chance).toFixed(1),
    perplexity ? `${formatPerplexity(perplexity.value)} +- ${formatPerplexity(perplexity.standardError)}` : '-',
  ];
  if (!baseline) return figures;
  const { flips } = baseline;
  const changes = ({ lost, gained, pValue }: typeof flips.accuracy) => [`${lost}/${gained}`, pValue.toPrecision(2)];
  return [
    ...figures,
    percent(baseline.accuracy),
    ...changes(flips.accuracy),
    ...(flips.normalizedAccuracy && baseline.normalizedAccuracy
      ? [percent(baseline.normalizedAccuracy), ...changes(flips.normalizedAccuracy)]
      : ['-', '-', '-']),
  ];
}

function percent({ value, standardError }: TaskResult['accuracy']): string {
  return `${(100 * value).toFixed(2)} +- ${(100 * standardError).toFixed(2)}`;
}

function notes({ tasks, baseline }: TasksResult): string[] {
  const short = tasks
    .filter(({ leftOut, cut }) => leftOut + cut > 0)
    .map(({ task, leftOut, cut }) => `${task}: ${leftOut} items left out, ${cut} texts cut to the context`);
  const flips = baseline === null ? [] : ['lost: right before, wrong now; p: exact McNemar test'];
  return [...flips, ...short];
}
