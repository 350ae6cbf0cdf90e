import { scoreWindows, type WindowScores } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import { asBlockPair, asBlocks } from './forward/asBlocks.ts';
import { type ComingText, wholeText } from './open/beginText.ts';
import type { OpenedModel } from './open/openModel.ts';
import type { PreparedText } from './open/prepareText.ts';
import type { GroupContext } from './overGroups.ts';
import { scoreGroups } from './scoreGroups.ts';

export interface ScoreStage extends GroupContext {
  readonly baseline?: OpenedModel | null;
}

/** Scores windows, as one graph while more are cut, and reports progress in tokens. A model of many weights is never opened whole on a CPU. */
export async function scoreStage(
  model: OnnxModel,
  text: PreparedText | ComingText,
  context: ScoreStage,
): Promise<WindowScores> {
  const { stage, device, request, emit, signal, baseline } = context;
  const count = 'windows' in text ? `${text.windows.length} ` : '';
  emit({ kind: 'stage', stage, detail: `${count}windows of ${text.windowLength} tokens, ${text.data.id}` });
  const own = asBlocks(model, device);
  const blocks = baseline ? asBlockPair(model, baseline.model, device) : own && { own };
  if (blocks) return scoreGroups(blocks, await wholeText(text), context);
  return scoreWindows(model, 'windows' in text ? text.windows : text.parts(), {
    device,
    ...(request.threads === undefined ? {} : { threads: request.threads }),
    ...(baseline ? { baseline: baseline.model } : {}),
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => emit({ kind: 'progress', stage, done, total, unit: 'tokens' }),
  });
}
