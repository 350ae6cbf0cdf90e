import { CompressionError } from '@quern/core';
import type { OnnxModel } from '@quern/onnx';
import { describeModel, findLogits, openSession, runSession } from '@quern/runtime';
import { Tensor } from 'onnxruntime-node';
import { comparisonGraph } from './comparisonGraph.ts';
import { LOSS } from './lossNodes.ts';
import { type Logits, openLogits } from './openLogits.ts';
import { type Scorer, type ScorerOptions, type TokenLosses, targetsOf, withoutLast } from './openScorer.ts';

/** Logits compared at once: 8 MiB in float32. */
const CHUNK_LOGITS = 2 ** 21;

/**
 * Opens a model and its baseline for scoring side by side.
 *
 * Both return their logits, which a third session compares a few rows at a time: two copies of a batch's logits are all that
 * is held, whatever the vocabulary.
 * Errors: INVALID_OPTION when the vocabularies differ in size; those of `openSession`.
 */
export async function openComparer(model: OnnxModel, baseline: OnnxModel, options: ScorerOptions): Promise<Scorer> {
  checkVocabularies(model, baseline);
  const types = { model: findLogits(model).dataType, baseline: findLogits(baseline).dataType };
  const graph = comparisonGraph(types, options.device);
  const comparison = await openSession(graph, options);
  const own = await openLogits(model, options);
  const other = await openLogits(baseline, options);
  return {
    async score(ids) {
      const inputs = withoutLast(ids);
      const modelLogits = await own.run(inputs);
      const baselineLogits = await other.run(inputs);
      const targets = targetsOf(ids);
      const losses = emptyLosses(ids[0]!.length - 1, targets.length);
      const chunk = Math.max(1, Math.floor(CHUNK_LOGITS / modelLogits.vocabularySize));
      for (let start = 0; start < targets.length; start += chunk) {
        const end = Math.min(start + chunk, targets.length);
        const feeds = {
          [LOSS.targets]: new Tensor('int32', targets.subarray(start, end), [end - start, 1]),
          [LOSS.modelLogits]: rowsOf(modelLogits, start, end),
          [LOSS.baselineLogits]: rowsOf(baselineLogits, start, end),
        };
        const values = await runSession(
          comparison,
          feeds,
          `the comparison of ${describeModel(model)} with its baseline`,
        );
        store(losses, values, start);
      }
      return losses;
    },
    async release() {
      await Promise.all([comparison.release(), own.release(), other.release()]);
    },
  };
}

function rowsOf(logits: Logits, start: number, end: number): Tensor {
  const { data, vocabularySize } = logits;
  const rows = data.subarray(start * vocabularySize, end * vocabularySize);
  const dims = [end - start, vocabularySize];
  return rows instanceof Float32Array ? new Tensor('float32', rows, dims) : new Tensor('float16', rows, dims);
}

type Losses = TokenLosses & Required<Pick<TokenLosses, 'baseline'>>;

function emptyLosses(columns: number, count: number): Losses {
  return {
    columns,
    nll: new Float32Array(count),
    baseline: { nll: new Float32Array(count), klDivergence: new Float32Array(count), agreement: new Int32Array(count) },
  };
}

function store(losses: Losses, values: Readonly<Record<string, Tensor>>, start: number): void {
  losses.nll.set(values[LOSS.nll]!.data as Float32Array, start);
  losses.baseline.nll.set(values[LOSS.baselineNll]!.data as Float32Array, start);
  losses.baseline.klDivergence.set(values[LOSS.klDivergence]!.data as Float32Array, start);
  losses.baseline.agreement.set(values[LOSS.agreement]!.data as Int32Array, start);
}

function checkVocabularies(model: OnnxModel, baseline: OnnxModel): void {
  const [own, other] = [findLogits(model).vocabularySize, findLogits(baseline).vocabularySize];
  if (own === other || own === null || other === null) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `The baseline has a vocabulary of ${other} and the model one of ${own}: their predictions cannot be compared. ` +
      'Use the model from which this one was made as the baseline.',
    { vocabularySize: own, baselineVocabularySize: other },
  );
}
