import {
  addContinuation,
  batchLimit,
  type ContinuationScores,
  checkWindows,
  emptyContinuations,
  packBranches,
  type TokenLosses,
  withBranches,
} from '@quern/evaluator';
import { findLogits } from '@quern/runtime';
import type { BlockModel } from '../forward/asBlocks.ts';
import { groupByTokens } from '../forward/groupByTokens.ts';
import { lossesByBlocks } from '../forward/lossesByBlocks.ts';
import { headOf } from '../forward/openHeadPart.ts';
import { type GroupContext, type GroupWork, overGroups } from '../overGroups.ts';
import { type ContinuationRun, continuationRuns } from './continuationRuns.ts';
import type { PreparedTask } from './prepareTask.ts';
import { taskContent } from './taskContent.ts';

/**
 * Scores the windows of a task like `scoreContinuations` without ever opening a whole model: groups of items go through one decoder block
 * before the next is opened, and only the columns that are scored through the head, which is read in slices of the vocabulary.
 *
 * The same figures up to rounding. Errors: those of `scoreContinuations`. Cost: the forward passes and reading the model once a group;
 * memory as `lossesByBlocks` says.
 */
export async function continuationsByBlocks(
  { model, cuts }: BlockModel,
  task: Pick<PreparedTask, 'definition' | 'data' | 'windows' | 'requests'>,
  context: GroupContext,
): Promise<ContinuationScores> {
  const { windows, requests } = task;
  const { device } = context;
  const { vocabularySize } = findLogits(model);
  checkWindows(windows, vocabularySize);
  const begin = requests.some(indices => packBranches(indices.map(index => windows[index]!)) !== null);
  const branching = begin ? withBranches(model, device) : null;
  const batchTokens = batchLimit({
    device,
    memoryBytes: null,
    vocabularySize: headOf(model) ? null : vocabularySize,
    windowLength: windows.reduce((longest, { ids }) => Math.max(longest, ids.length), 1),
    compares: false,
  });
  const entries = continuationRuns(windows, requests, { branching: branching !== null, batchTokens });
  const own = { model: branching ?? model, cuts };
  const work: GroupWork<ContinuationRun, TokenLosses[]> = {
    groups: groupByTokens(entries, ({ targets }) => targets.length, context.groupTokens),
    tokensOf: ({ scored }) => scored.reduce((sum, { index }) => sum + windows[index]!.ids.length, 0),
    content: { task: taskContent(task) },
    score: (runs, options) => lossesByBlocks(own, null, runs, options),
  };
  const losses = (await overGroups(work, context)).flat();
  const scores = emptyContinuations(windows.length);
  for (const [run, { ids, scored }] of entries.entries()) {
    const { columns } = losses[run]!;
    const left = ids[0]!.length - columns;
    for (const { index, row, column } of scored) {
      addContinuation(scores, losses[run]!, { at: row * columns + column - left, index, window: windows[index]! });
    }
  }
  return scores;
}
