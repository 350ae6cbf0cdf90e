import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { describeModel, findLogits, openSession } from '@quern/runtime';
import { compareLogits } from './compareLogits.ts';
import { comparisonGraph } from './comparisonGraph.ts';
import { openLogits } from './openLogits.ts';
import { type Scorer, type ScorerOptions, targetsOf, withoutLast } from './openScorer.ts';

/**
 * Opens a model and its baseline for scoring side by side.
 *
 * Both return their logits, which a third session compares. On a CPU it takes a few rows at a time, so that two copies of a batch's
 * logits are all that is held, whatever the vocabulary; with WebGPU the logits stay on the device. ONNX Runtime for Node cannot
 * leave them there with CUDA: they come back and are sent again.
 * Errors: INVALID_OPTION when the vocabularies differ in size; those of `openSession`.
 */
export async function openComparer(model: OnnxModel, baseline: OnnxModel, options: ScorerOptions): Promise<Scorer> {
  checkVocabularies(model, baseline);
  const types = { model: findLogits(model).dataType, baseline: findLogits(baseline).dataType };
  const graph = comparisonGraph(types, options.device);
  const comparison = await openSession(graph, options);
  const keepOutputs = options.device === 'webgpu';
  const own = await openLogits(model, { ...options, keepOutputs });
  const other = await openLogits(baseline, { ...options, keepOutputs });
  return {
    async score(ids) {
      const inputs = withoutLast(ids);
      const logits = { model: await own.run(inputs), baseline: await other.run(inputs) };
      const what = `the comparison of ${describeModel(model)} with its baseline`;
      try {
        return await compareLogits(comparison, logits, targetsOf(ids), what);
      } finally {
        if (keepOutputs) for (const tensor of Object.values(logits)) tensor.dispose();
      }
    },
    async release() {
      await Promise.all([comparison.release(), own.release(), other.release()]);
    },
  };
}

/** Errors: INVALID_OPTION when the vocabularies differ in size. */
export function checkVocabularies(model: OnnxModel, baseline: OnnxModel): void {
  const [own, other] = [findLogits(model).vocabularySize, findLogits(baseline).vocabularySize];
  if (own === other || own === null || other === null) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `The baseline has a vocabulary of ${other} and the model one of ${own}: their predictions cannot be compared. ` +
      'Use the model from which this one was made as the baseline.',
    { vocabularySize: own, baselineVocabularySize: other },
  );
}
