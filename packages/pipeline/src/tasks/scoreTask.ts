import { answerItems, scoreContinuations, type TaskAnswers } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import { asBlocks } from '../forward/asBlocks.ts';
import type { GroupContext } from '../overGroups.ts';
import { continuationsByBlocks } from './continuationsByBlocks.ts';
import type { PreparedTask } from './prepareTask.ts';

/**
 * A model's answers to a task; progress in tokens. A model of many weights is never opened whole on a CPU.
 *
 * Errors: those of `scoreContinuations`.
 */
export async function scoreTask(model: OnnxModel, task: PreparedTask, context: GroupContext): Promise<TaskAnswers> {
  const { stage, device, request, emit, signal } = context;
  const { definition, items, windows, requests } = task;
  emit({ kind: 'stage', stage, detail: `${definition.title}, ${items.length} items, ${windows.length} texts` });
  const blocks = asBlocks(model, device);
  const scores = blocks
    ? await continuationsByBlocks(blocks, task, context)
    : await scoreContinuations(model, windows, requests, {
        device,
        ...(request.threads === undefined ? {} : { threads: request.threads }),
        ...(signal ? { signal } : {}),
        onProgress: (done, total) => emit({ kind: 'progress', stage, done, total, unit: 'tokens' }),
      });
  return answerItems(items, requests, scores);
}
