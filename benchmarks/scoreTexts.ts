import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateModel } from '@quern/pipeline';
import { clusteredMean } from '../packages/evaluator/src/statistics/clusteredMean.ts';
import type { DocumentScore } from '../packages/pipeline/src/report/evaluation/evaluationReport.ts';

/** A model on several texts as if they were one, paired with a baseline; nats but for the perplexity. */
export interface PooledScore {
  readonly perplexity: number;
  readonly perplexityError: number;
  readonly difference: number;
  readonly differenceError: number;
  readonly divergence: number;
  /** Every window, in the order of the texts: models that were scored on the same ones are compared by these. */
  readonly windows: readonly DocumentScore[];
}

/** By how much one model is above another on the same windows, with one standard error over windows; nats per token. */
export interface PairedDifference {
  readonly loss: { readonly value: number; readonly standardError: number };
  readonly divergence: { readonly value: number; readonly standardError: number };
}

/** Scores a written folder on each text (sets or files) and takes their windows together. */
export async function scoreTexts(model: string, baseline: string, texts: readonly string[]): Promise<PooledScore> {
  const folder = await mkdtemp(join(tmpdir(), 'quern-scores-'));
  const windows: DocumentScore[] = [];
  for (const data of texts) {
    const request = { model, baseline, data, perDocument: false, device: 'cpu', report: folder, force: true } as const;
    await evaluateModel(request, () => undefined);
    const { documents } = JSON.parse(await readFile(join(folder, 'evaluation.json'), 'utf8'));
    windows.push(...documents);
  }
  await rm(folder, { recursive: true });
  const loss = meanOf(windows, ({ after }) => after);
  const difference = meanOf(windows, ({ before, after }) => after - before);
  const perplexity = Math.exp(loss.value);
  return {
    ...{ perplexity, perplexityError: perplexity * loss.standardError },
    ...{ difference: difference.value, differenceError: difference.standardError },
    divergence: meanOf(windows, ({ klDivergence }) => klDivergence).value,
    windows,
  };
}

/** Of two models scored on the same texts against the same baseline. */
export function pairScores(one: PooledScore, other: PooledScore): PairedDifference {
  const others = new Map(one.windows.map((window, index) => [window, other.windows[index]!]));
  return {
    loss: meanOf(one.windows, window => window.after - others.get(window)!.after),
    divergence: meanOf(one.windows, window => window.klDivergence - others.get(window)!.klDivergence),
  };
}

/** Mean per token of a figure per token of each window. */
function meanOf(windows: readonly DocumentScore[], figure: (window: DocumentScore) => number) {
  const counts = windows.map(({ tokenCount }) => tokenCount);
  return clusteredMean(
    windows.map((window, index) => counts[index]! * figure(window)),
    counts,
  );
}
