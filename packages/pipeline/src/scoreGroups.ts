import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { joinScores, type WindowScores } from '@quern/evaluator';
import type { Device } from '@quern/runtime';
import type { Emit, Stage } from './events.ts';
import type { BlockModel } from './forward/asBlocks.ts';
import { groupWindows } from './forward/groupWindows.ts';
import { scoreByBlocks } from './forward/scoreByBlocks.ts';
import { exitFolder } from './open/exitFolder.ts';
import type { PreparedText } from './open/prepareText.ts';
import { textContent } from './open/textContent.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import type { ResultStore } from './solve/resultStore.ts';

/** How windows are scored. */
export interface GroupContext {
  readonly stage: Stage;
  readonly device: Device;
  readonly request: { readonly threads?: number | undefined };
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
  /** Where a run puts what memory has no room for; a folder that goes with the process unless given. */
  readonly folder?: { readonly scratch: string };
  /** Keeps the windows of a large model that are done, by what the model is, for a run that is resumed. */
  readonly keep?: { readonly results: ResultStore; readonly content: () => Promise<JobContent> };
}

/**
 * Scores windows block by block, in groups that go through all blocks one after the other: a stopped run loses the work on one of them.
 * Groups end at `groupTokens`, see `groupWindows`.
 */
export async function scoreGroups(
  models: { readonly own: BlockModel; readonly baseline?: BlockModel },
  text: PreparedText,
  context: GroupContext & { readonly groupTokens?: number },
): Promise<WindowScores> {
  const { stage, device, request, emit, signal, keep } = context;
  const groups = groupWindows(text.windows, context.groupTokens);
  const total = text.windows.reduce((sum, { ids }) => sum + ids.length, 0);
  const content = keep && (await keep.content());
  const scratch = context.folder ? join(context.folder.scratch, `scored-${randomUUID()}`) : await exitFolder('scored');
  const parts: WindowScores[] = [];
  let before = 0;
  for (const [index, windows] of groups.entries()) {
    const key = keep && jobKey({ scored: content!, stage, text: textContent(text), device, group: index });
    const known = key === undefined ? null : await keep!.results.load<WindowScores>(key);
    const scores =
      known ??
      (await scoreByBlocks(models.own, windows, {
        baseline: models.baseline,
        device,
        threads: request.threads,
        scratch: join(scratch, String(index)),
        signal,
        onProgress: (done, _, place) =>
          emit({ kind: 'progress', stage, done: before + done, total, unit: 'tokens', detail: place }),
      }));
    if (key !== undefined && !known) await keep!.results.save(key, scores);
    before += windows.reduce((sum, { ids }) => sum + ids.length, 0);
    parts.push(scores);
  }
  return joinScores(parts);
}
