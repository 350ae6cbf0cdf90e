import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinScores, scoreWindows, type WindowScores } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import type { Emit, Stage } from './events.ts';
import { asBlockPair, asBlocks, type BlockModel } from './forward/asBlocks.ts';
import { groupWindows } from './forward/groupWindows.ts';
import { scoreByBlocks } from './forward/scoreByBlocks.ts';
import type { OpenedModel } from './open/openModel.ts';
import type { PreparedText } from './open/prepareText.ts';
import { textContent } from './open/textContent.ts';
import { type JobContent, jobKey } from './solve/jobKey.ts';
import type { ResultStore } from './solve/resultStore.ts';

export interface ScoreStage {
  readonly stage: Stage;
  readonly device: Device;
  readonly request: { readonly threads?: number | undefined };
  readonly emit: Emit;
  readonly signal?: AbortSignal | undefined;
  readonly baseline?: OpenedModel | null;
  /** Where a run puts what memory has no room for; a temporary folder unless given. */
  readonly folder?: { readonly scratch: string };
  /** Keeps the windows of a large model that are done, by what the model is, for a run that is resumed. */
  readonly keep?: { readonly results: ResultStore; readonly content: () => Promise<JobContent> };
}

/** Scores windows and reports progress in tokens. A model of many weights is never opened whole on a CPU. */
export async function scoreStage(model: OnnxModel, text: PreparedText, context: ScoreStage): Promise<WindowScores> {
  const { stage, device, request, emit, signal, baseline } = context;
  emit({
    kind: 'stage',
    stage,
    detail: `${text.windows.length} windows of ${text.windowLength} tokens, ${text.data.id}`,
  });
  const own = asBlocks(model, device);
  const blocks = baseline ? asBlockPair(model, baseline.model, device) : own && { own };
  if (blocks) return scoreGroups(blocks, text, context);
  return scoreWindows(model, text.windows, {
    device,
    ...(request.threads === undefined ? {} : { threads: request.threads }),
    ...(baseline ? { baseline: baseline.model } : {}),
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => emit({ kind: 'progress', stage, done, total, unit: 'tokens' }),
  });
}

/** Groups of windows go through all blocks one after the other: a stopped run loses the work on one of them. */
async function scoreGroups(
  models: { readonly own: BlockModel; readonly baseline?: BlockModel },
  text: PreparedText,
  context: ScoreStage,
): Promise<WindowScores> {
  const { stage, device, request, emit, signal, keep } = context;
  const groups = groupWindows(text.windows);
  const total = text.windows.reduce((sum, { ids }) => sum + ids.length, 0);
  const content = keep && (await keep.content());
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
        scratch: join(context.folder?.scratch ?? tmpdir(), `scored-${randomUUID()}`),
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
