import { compareLosses, summarizeScores, type WindowScores } from '@quern/evaluator';
import { readOnnxModel, withAccuracyLevel } from '@quern/onnx';
import type { PerplexityReport } from './compressRequest.ts';
import { shippedAccuracyLevel } from './evaluateModel.ts';
import { once } from './once.ts';
import { hashGraph } from './open/hashGraph.ts';
import { openModel } from './open/openModel.ts';
import type { PreparedText } from './open/prepareText.ts';
import { textContent } from './open/textContent.ts';
import type { CompressRun } from './run.ts';
import { scoreStage } from './scoreStage.ts';
import { jobKey } from './solve/jobKey.ts';

/** Scores the model as it was published, in float32 whatever the result's type. Kept for a run that is resumed. */
export async function scoreBefore(
  run: Omit<CompressRun, 'plans' | 'cuts' | 'layout'>,
  text: PreparedText,
): Promise<WindowScores> {
  const { opened, request, results, origin, device } = run;
  const key = jobKey({ score: 'original', origin, device, text: textContent(text) });
  const known = await results.load<WindowScores>(key);
  if (known) return known;
  const { tokenizer, recipe } = request;
  const isOriginal = recipe.dtype === 'fp32' && recipe.rotate === false;
  const original = isOriginal ? opened : await openModel(request.model, { tokenizer });
  const keep = { results, content: async () => origin };
  const scores = await scoreStage(original.model, text, { ...run, stage: 'evaluate original', keep });
  await results.save(key, scores);
  return scores;
}

/** Scores the file that was written, as it ships and with exact arithmetic. */
export async function scoreWritten(
  run: CompressRun,
  text: PreparedText,
  before: WindowScores,
  graph: string,
): Promise<PerplexityReport> {
  const written = await readOnnxModel(graph);
  const keep = { results: run.results, content: once(() => hashGraph(graph, written, run.signal)) };
  const scores = await scoreStage(written, text, { ...run, stage: 'evaluate result', keep });
  const after = summarizeScores(scores, text);
  let exact = after.perplexity;
  if ((shippedAccuracyLevel(written) ?? 0) > 0) {
    const model = withAccuracyLevel(written, 0);
    const exactScores = await scoreStage(model, text, { ...run, stage: 'evaluate exactly', keep });
    exact = summarizeScores(exactScores, text).perplexity;
  }
  return {
    data: text.data.id,
    windowLength: text.windowLength,
    stride: text.stride,
    before: summarizeScores(before, text).perplexity,
    after: after.perplexity,
    exact,
    standardError: after.standardError,
    ...compareLosses(scores.nll, before.nll, scores.tokenCounts),
    tokenCount: after.tokenCount,
  };
}
