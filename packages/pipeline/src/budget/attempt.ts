import { mkdir, rm } from 'node:fs/promises';
import { compareLosses } from '@quern/evaluator';
import { findBlockCuts, readOnnxModel } from '@quern/onnx';
import type { KeptBaseline } from '../forward/keepBaseline.ts';
import { openBaseline } from '../forward/openBaseline.ts';
import { type MadeResult, makeResult } from '../makeResult.ts';
import type { RunnableMaterial } from '../open/material.ts';
import { openModel } from '../open/openModel.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { rotateOpened } from '../open/rotateOpened.ts';
import { outputLayout } from '../output/outputLayout.ts';
import { transformersjsDtype } from '../output/transformersjsLayout.ts';
import { widestContainer } from '../output/writeResult.ts';
import type { CompressRun } from '../run.ts';
import { scoreBefore } from '../scoreRun.ts';
import { scoreStage } from '../scoreStage.ts';
import type { ChosenPlans } from './candidateTable.ts';

/** Files that were written for a choice, and what they are. */
export interface Attempt {
  readonly run: CompressRun;
  readonly dtype: string;
  readonly chosen: ChosenPlans;
  readonly result: MadeResult;
  /** From the original, on held-out windows, nats per token; null without text. */
  readonly klDivergence: number | null;
  /** Nats per token more than the original; null unless asked for. */
  readonly nllIncrease: number | null;
}

export interface AttemptContext {
  /** The original's; its model is left as it is. */
  readonly run: CompressRun;
  readonly evaluation: RunnableMaterial | null;
  readonly heldOut: PreparedText | null;
  /** What the original says of the held-out windows. */
  readonly kept: KeptBaseline | null;
  /** Whether the rise of the loss is wanted, on whatever text there is. */
  readonly needsIncrease: boolean;
}

/** Makes the result of one choice in the run's staging folder, in place of what stands there, and measures it. */
export async function attempt(context: AttemptContext, chosen: ChosenPlans): Promise<Attempt> {
  const { run, evaluation, heldOut, kept, needsIncrease } = context;
  const { request, folder, device, emit, signal } = run;
  const { recipe, model, tokenizer } = request;
  await rm(folder.staging, { recursive: true, force: true });
  await mkdir(folder.staging, { recursive: true });
  const original = await openModel(model, { tokenizer, dtype: recipe.dtype });
  const opened = await rotateOpened(original, recipe, { emit, signal });
  const dtype = transformersjsDtype(widestContainer(chosen.plans), recipe.dtype);
  const layout = await outputLayout(opened, recipe, dtype);
  const cuts = findBlockCuts(opened.model);
  // Nothing is spread any more: every site has what was chosen for it.
  const settled = { ...request, recipe: { ...recipe, allocation: 'uniform' as const } };
  const own: CompressRun = { ...run, request: settled, opened, plans: chosen.plans, cuts, layout };
  const before = needsIncrease && heldOut && evaluation?.kind !== 'text' ? await scoreBefore(run, heldOut) : null;
  let klDivergence: number | null = null;
  let heldOutIncrease: number | null = null;
  const result = await makeResult(own, evaluation, async graph => {
    const written = await readOnnxModel(graph);
    if (kept) {
      const divergence = await openBaseline(kept, context.run.opened.model, { device, signal });
      klDivergence = await divergence.of(written).finally(() => divergence.release());
    }
    if (before) {
      const scores = await scoreStage(written, heldOut!, { ...run, stage: 'evaluate result' });
      heldOutIncrease = compareLosses(scores.nll, before.nll, scores.tokenCounts).nllDifference;
    }
  });
  const nllIncrease = needsIncrease ? (result.perplexity?.nllDifference ?? heldOutIncrease) : null;
  return { run: { ...own, request }, dtype, chosen, result, klDivergence, nllIncrease };
}
