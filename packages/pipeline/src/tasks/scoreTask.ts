import { answerItems, scoreContinuations, type TaskAnswers } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { Emit, Stage } from '../events.ts';
import type { PreparedTask } from './prepareTask.ts';

interface TaskStage {
  readonly stage: Stage;
  readonly device: Device;
  readonly threads?: number | undefined;
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
}

/** A model's answers to a task; progress in tokens. Errors: those of `scoreContinuations`. */
export async function scoreTask(model: OnnxModel, task: PreparedTask, context: TaskStage): Promise<TaskAnswers> {
  const { stage, device, threads, emit, signal } = context;
  const { definition, items, windows, requests } = task;
  emit({ kind: 'stage', stage, detail: `${definition.title}, ${items.length} items, ${windows.length} texts` });
  const scores = await scoreContinuations(model, windows, requests, {
    device,
    ...(threads === undefined ? {} : { threads }),
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => emit({ kind: 'progress', stage, done, total, unit: 'tokens' }),
  });
  return answerItems(items, requests, scores);
}
