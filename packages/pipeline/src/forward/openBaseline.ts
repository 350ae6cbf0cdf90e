import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openDivergence } from '@quern/evaluator';
import { findBlockCuts, type OnnxModel } from '@quern/onnx';
import { createHiddenStates, type HiddenStates } from './hiddenStates.ts';
import { type BaselineOptions, type KeptBaseline, statesBefore } from './keepBaseline.ts';
import { moveToHead, textContext } from './lossesByBlocks.ts';
import { headOf } from './openHeadPart.ts';
import { scoreHeads } from './scoreHeads.ts';
import { tokenRun } from './tokenRun.ts';

/** Measures variants of a baseline; the caller releases it. */
export interface Divergence {
  /**
   * Mean KL divergence of a variant from the baseline, in nats per token. `block`, where it is known: the only block in which the
   * variant differs, so that a large model need not run through those before it.
   */
  of(variant: OnnxModel, block?: number | null): Promise<number>;
  release(): Promise<void>;
}

/**
 * Measures how far variants of a model diverge from what was kept of it, in another thread maybe; `baseline` is the model.
 *
 * Errors: those of `openSession`. Cost of `of`: one forward pass of the windows, and where states were kept the baseline's head as well; then a
 * block, and slices of both heads, are all that is open.
 */
export async function openBaseline(
  kept: KeptBaseline,
  baseline: OnnxModel,
  options: BaselineOptions,
): Promise<Divergence> {
  if (kept.logits) return openDivergence(kept.logits, options);
  const { folder, windows } = kept;
  const runs = windows.map(({ ids }) => tokenRun([ids]));
  const count = windows.reduce((sum, { ids }) => sum + ids.length - 1, 0);
  const blockCount = findBlockCuts(baseline)!.length;
  const before = { model: baseline, head: headOf(baseline), hidden: statesBefore(folder, blockCount) };
  const divergenceOf = async (variant: OnnxModel, block: number | null, hidden: HiddenStates): Promise<number> => {
    const cuts = findBlockCuts(variant)!;
    const index = block === null ? -1 : cuts.findIndex(cut => cut.block === block);
    const from = index < 0 ? null : index;
    const known = statesBefore(folder, index);
    if (from !== null) for (const run of runs.keys()) await hidden.write(run, await known.read(run));
    const model = { model: variant, cuts };
    const own = await moveToHead(model, textContext(model, runs, { ...options, hidden }), { from });
    const { device, threads, signal } = options;
    const losses = await scoreHeads(own, before, { runs, device, threads, signal });
    return (
      losses.reduce((sum, { baseline }) => baseline!.klDivergence.reduce((all, each) => all + each, sum), 0) / count
    );
  };
  return {
    async of(variant, block = null) {
      const hidden = createHiddenStates(join(folder, randomUUID()));
      return divergenceOf(variant, block, hidden).finally(() => hidden.close());
    },
    release: async () => undefined,
  };
}
