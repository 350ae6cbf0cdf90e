import { runSession } from '@quern/runtime';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { LOSS } from './lossNodes.ts';
import type { TokenLosses } from './openScorer.ts';

/** Logits compared at once: 1 MiB in float32, so that the copies of a piece stay in the caches. */
const CHUNK_LOGITS = 2 ** 18;

/** Losses of a model beside those of its baseline. */
export type ComparedLosses = TokenLosses & Required<Pick<TokenLosses, 'baseline'>>;

/** Logits of both models, `[batch, sequence, vocabulary]`. */
export interface LogitPair {
  readonly model: Tensor;
  readonly baseline: Tensor;
}

/**
 * Losses, divergence and most likely tokens of every row of two models' logits. `comparison` is a session of `comparisonGraph`.
 *
 * Logits in the memory of the device are compared there, all at once; others a few rows at a time.
 * Errors: those of `runSession`, with `what` in front.
 */
export async function compareLogits(
  comparison: InferenceSession,
  logits: LogitPair,
  targets: Int32Array,
  what: string,
): Promise<ComparedLosses> {
  const [batch, columns, vocabularySize] = logits.model.dims as [number, number, number];
  const losses = emptyLosses(columns, targets.length);
  if (logits.model.location !== 'cpu' && logits.baseline.location !== 'cpu') {
    store(losses, await runSession(comparison, feedsOf(logits, targets, [batch, columns]), what), 0);
    return losses;
  }
  const chunk = Math.max(1, Math.floor(CHUNK_LOGITS / vocabularySize));
  for (let start = 0; start < targets.length; start += chunk) {
    const end = Math.min(start + chunk, targets.length);
    const rows = { model: rowsOf(logits.model, start, end), baseline: rowsOf(logits.baseline, start, end) };
    store(
      losses,
      await runSession(comparison, feedsOf(rows, targets.subarray(start, end), [1, end - start]), what),
      start,
    );
  }
  return losses;
}

function feedsOf({ model, baseline }: LogitPair, targets: Int32Array, dims: readonly number[]): Record<string, Tensor> {
  return {
    [LOSS.targets]: new Tensor('int32', targets, [...dims, 1]),
    [LOSS.modelLogits]: model,
    [LOSS.baselineLogits]: baseline,
  };
}

function rowsOf(logits: Tensor, start: number, end: number): Tensor {
  const vocabularySize = logits.dims.at(-1)!;
  const data = logits.data as Float32Array | Uint16Array;
  const rows = data.subarray(start * vocabularySize, end * vocabularySize);
  const dims = [1, end - start, vocabularySize];
  return rows instanceof Float32Array ? new Tensor('float32', rows, dims) : new Tensor('float16', rows, dims);
}

function emptyLosses(columns: number, count: number): ComparedLosses {
  return {
    columns,
    nll: new Float32Array(count),
    logConfidence: new Float32Array(count),
    baseline: {
      nll: new Float32Array(count),
      logConfidence: new Float32Array(count),
      klDivergence: new Float32Array(count),
      top: new Int32Array(count),
      modelTop: new Int32Array(count),
      rank: new Float32Array(count),
    },
  };
}

function store(losses: ComparedLosses, values: Readonly<Record<string, Tensor>>, start: number): void {
  const floats = (name: string): Float32Array => values[name]!.data as Float32Array;
  losses.nll.set(floats(LOSS.nll), start);
  losses.logConfidence.set(floats(LOSS.logConfidence), start);
  losses.baseline.nll.set(floats(LOSS.baselineNll), start);
  losses.baseline.logConfidence.set(floats(LOSS.baselineLogConfidence), start);
  losses.baseline.klDivergence.set(floats(LOSS.klDivergence), start);
  losses.baseline.top.set(values[LOSS.baselineTop]!.data as Int32Array, start);
  losses.baseline.modelTop.set(values[LOSS.top]!.data as Int32Array, start);
  losses.baseline.rank.set(floats(LOSS.rank), start);
}
