import { runSession } from '@quern/runtime';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { LOSS } from './lossNodes.ts';
import type { Logits } from './openLogits.ts';
import type { TokenLosses } from './openScorer.ts';

/** Logits compared at once: 8 MiB in float32. */
const CHUNK_LOGITS = 2 ** 21;

/** Losses of a model beside those of its baseline. */
export type ComparedLosses = TokenLosses & Required<Pick<TokenLosses, 'baseline'>>;

/**
 * Losses, divergence and agreement of every row of two models' logits, a few rows at a time. `comparison` is a session of
 * `comparisonGraph`; `columns` rows are one sequence. Errors: those of `runSession`, with `what` in front.
 */
export async function compareLogits(
  comparison: InferenceSession,
  { model, baseline }: { readonly model: Logits; readonly baseline: Logits },
  targets: Int32Array,
  columns: number,
  what: string,
): Promise<ComparedLosses> {
  const losses = emptyLosses(columns, targets.length);
  const chunk = Math.max(1, Math.floor(CHUNK_LOGITS / model.vocabularySize));
  for (let start = 0; start < targets.length; start += chunk) {
    const end = Math.min(start + chunk, targets.length);
    const feeds = {
      [LOSS.targets]: new Tensor('int32', targets.subarray(start, end), [end - start, 1]),
      [LOSS.modelLogits]: rowsOf(model, start, end),
      [LOSS.baselineLogits]: rowsOf(baseline, start, end),
    };
    store(losses, await runSession(comparison, feeds, what), start);
  }
  return losses;
}

function rowsOf(logits: Logits, start: number, end: number): Tensor {
  const { data, vocabularySize } = logits;
  const rows = data.subarray(start * vocabularySize, end * vocabularySize);
  const dims = [end - start, vocabularySize];
  return rows instanceof Float32Array ? new Tensor('float32', rows, dims) : new Tensor('float16', rows, dims);
}

function emptyLosses(columns: number, count: number): ComparedLosses {
  return {
    columns,
    nll: new Float32Array(count),
    baseline: { nll: new Float32Array(count), klDivergence: new Float32Array(count), agreement: new Int32Array(count) },
  };
}

function store(losses: ComparedLosses, values: Readonly<Record<string, Tensor>>, start: number): void {
  losses.nll.set(values[LOSS.nll]!.data as Float32Array, start);
  losses.baseline.nll.set(values[LOSS.baselineNll]!.data as Float32Array, start);
  losses.baseline.klDivergence.set(values[LOSS.klDivergence]!.data as Float32Array, start);
  losses.baseline.agreement.set(values[LOSS.agreement]!.data as Int32Array, start);
}
