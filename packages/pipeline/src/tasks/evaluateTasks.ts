import { CompressionError } from '@quern/core';
import { compareAnswers, summarizeAnswers, type TaskComparison, type TaskScore } from '@quern/evaluator';
import type { Device } from '@quern/runtime';
import { chooseDevice } from '../device/chooseDevice.ts';
import { describeDevice } from '../device/describeDevice.ts';
import type { Emit } from '../events.ts';
import { openModel } from '../open/openModel.ts';
import { checkTaskData } from './checkTaskData.ts';
import { type PreparedTask, prepareTask } from './prepareTask.ts';
import { scoreTask } from './scoreTask.ts';

export interface TasksRequest {
  readonly model: string;
  readonly tokenizer?: string | undefined;
  readonly baseline?: string | undefined;
  /** Ids of tasks, or paths of definitions. */
  readonly tasks: readonly string[];
  /** Folder with the data of the tasks; for one task also its file. */
  readonly data: string;
  /** The first so many items of each task; all unless given. */
  readonly limit?: number | undefined;
  readonly device: 'auto' | Device;
  readonly threads?: number | undefined;
}

export interface TaskResult extends TaskScore {
  readonly task: string;
  readonly data: string;
  readonly dataSha256: string;
  /** Items that were scored. */
  readonly itemCount: number;
  /** Items left out because an answer is longer than the context or has no token of its own. */
  readonly leftOut: number;
  /** Texts whose beginning was cut off. */
  readonly cut: number;
  readonly baseline?: TaskScore & { readonly flips: TaskComparison };
}

export interface TasksResult {
  readonly model: string;
  readonly baseline: string | null;
  readonly tasks: readonly TaskResult[];
  readonly device: Device;
  /** Of all texts, as often as they are scored. */
  readonly tokenCount: number;
  readonly durationMs: number;
}

/**
 * Scores a model on multiple-choice and last-word tasks without examples, and compares its answers with a baseline's.
 *
 * Errors: those of `openModel`, `prepareTask` and `scoreTask`; INVALID_OPTION when the baseline splits the texts into
 * other tokens.
 */
export async function evaluateTasks(request: TasksRequest, emit: Emit, signal?: AbortSignal): Promise<TasksResult> {
  const started = performance.now();
  await checkTaskData(request.tasks, request.data);
  const { tokenizer } = request;
  const chosen = await chooseDevice(request.device, emit);
  const { device } = chosen;
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(chosen)}` });
  const opened = await openModel(request.model, { tokenizer });
  const baseline = request.baseline === undefined ? null : await openModel(request.baseline, { tokenizer });
  const results: TaskResult[] = [];
  let tokenCount = 0;
  // All before the first is scored: a file that is not there is told at once.
  const tasks: PreparedTask[] = [];
  for (const name of new Set(request.tasks)) {
    const task = await prepareTask(opened, { ...request, task: name }, emit);
    if (baseline) checkSameTexts(task, await prepareTask(baseline, { ...request, task: name }, () => undefined));
    tasks.push(task);
  }
  const context = { device, request, emit, signal };
  for (const task of tasks) {
    const answers = await scoreTask(opened.model, task, { ...context, stage: 'evaluate result' });
    const before = baseline && (await scoreTask(baseline.model, task, { ...context, stage: 'evaluate original' }));
    tokenCount += task.windows.reduce((sum, { ids }) => sum + ids.length, 0);
    results.push({
      task: task.definition.id,
      data: task.data.id,
      dataSha256: task.data.sha256,
      itemCount: task.items.length,
      leftOut: task.leftOut,
      cut: task.cut,
      ...summarizeAnswers(task.items, answers),
      ...(before
        ? { baseline: { ...summarizeAnswers(task.items, before), flips: compareAnswers(answers, before) } }
        : {}),
    });
  }
  return {
    model: request.model,
    baseline: request.baseline ?? null,
    tasks: results,
    device,
    tokenCount,
    durationMs: Math.round(performance.now() - started),
  };
}

/** Answers to other tokens would be compared with noise. */
function checkSameTexts(task: PreparedTask, baseline: PreparedTask): void {
  const same =
    task.windows.length === baseline.windows.length &&
    task.windows.every(({ ids }, at) => {
      const other = baseline.windows[at]!.ids;
      return ids.length === other.length && ids.every((id, position) => id === other[position]);
    });
  if (same) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `--baseline splits the texts of ${task.definition.id} into other tokens than the model: use a baseline with the same tokenizer.`,
  );
}
