import type { TokenWindow } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { describeModel, findLogits, openSession } from '@quern/runtime';
import type { Tensor } from 'onnxruntime-node';
import { compareLogits } from './compareLogits.ts';
import { comparisonGraph } from './comparisonGraph.ts';
import { openLogits } from './openLogits.ts';
import { type ScorerOptions, targetsOf, withoutLast } from './openScorer.ts';

/** Measures variants of one model against it; the caller releases it. */
export interface Divergence {
  /** Mean KL divergence of a variant from the baseline, in nats per token. */
  of(variant: OnnxModel): Promise<number>;
  release(): Promise<void>;
}

/** What a baseline says of some windows. */
export interface BaselineLogits {
  readonly windows: readonly TokenWindow[];
  /** A `DataType`; variants give the same. */
  readonly dataType: number;
  /** `[1, tokens, vocabulary]` of a window. */
  readonly read: (index: number) => Promise<Tensor>;
}

/**
 * Opens a baseline for measuring how far variants of it diverge on a few windows. Its logits are computed once and kept: 4 bytes for
 * each of tokens x vocabulary.
 *
 * Windows go through one by one, whole: tokens before `firstScored` count as well.
 * Errors: those of `openSession`. Cost of `of`: one forward pass of the windows.
 */
export async function openDivergence(
  baseline: OnnxModel,
  windows: readonly TokenWindow[],
  options: ScorerOptions,
): Promise<Divergence> {
  const original = await openLogits(baseline, options);
  const kept: Tensor[] = [];
  for (const { ids } of windows) kept.push(await original.run(withoutLast([ids])));
  await original.release();
  const { dataType } = findLogits(baseline);
  return divergenceFrom({ windows, dataType, read: async index => kept[index]! }, options);
}

/** Measures variants against logits from anywhere. Errors: those of `openSession`. */
export async function divergenceFrom(baseline: BaselineLogits, options: ScorerOptions): Promise<Divergence> {
  const { windows, dataType } = baseline;
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
          const logits = { model: await source.run(withoutLast([ids])), baseline: await baseline.read(index) };
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
