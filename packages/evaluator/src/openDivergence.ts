import type { OnnxModel } from '@quern/onnx';
import { describeModel, openSession } from '@quern/runtime';
import { compareLogits } from './compareLogits.ts';
import { comparisonGraph } from './comparisonGraph.ts';
import { type KeptLogits, readLogits } from './keepLogits.ts';
import { openLogits } from './openLogits.ts';
import { type ScorerOptions, targetsOf, withoutLast } from './openScorer.ts';

/** Measures variants of one model against it; the caller releases it. */
export interface Divergence {
  /** Mean KL divergence of a variant from the baseline, in nats per token. */
  of(variant: OnnxModel): Promise<number>;
  release(): Promise<void>;
}

/**
 * Measures how far variants of a model diverge from what was kept of it in a file, in another thread maybe.
 *
 * Windows go through one by one, whole: tokens before `firstScored` count as well.
 * Errors: those of `openSession`. Cost of `of`: one forward pass of the windows; one window's logits of both models in memory.
 */
export async function openDivergence(kept: KeptLogits, options: ScorerOptions): Promise<Divergence> {
  const { windows, dataType } = kept;
  const comparison = await openSession(
    comparisonGraph({ model: dataType, baseline: dataType }, options.device),
    options,
  );
  return {
    async of(variant) {
      const source = await openLogits(variant, options);
      let sum = 0;
      let count = 0;
      try {
        for (const [index, { ids }] of windows.entries()) {
          const logits = { model: await source.run(withoutLast([ids])), baseline: await readLogits(kept, index) };
          const what = `the comparison of ${describeModel(variant)} with its baseline`;
          const losses = await compareLogits(comparison, logits, targetsOf([ids]), what);
          for (const divergence of losses.baseline.klDivergence) sum += divergence;
          count += ids.length - 1;
        }
      } finally {
        await source.release();
      }
      return sum / count;
    },
    release: () => comparison.release(),
  };
}
