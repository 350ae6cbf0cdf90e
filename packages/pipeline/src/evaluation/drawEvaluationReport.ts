import { CompressionError } from '@quern/core';
import type { Evaluation, WindowScores } from '@quern/evaluator';
import type { Device } from '@quern/runtime';
import type { EvaluateRequest } from '../evaluateModel.ts';
import type { OpenedModel } from '../open/openModel.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { textTokenizer } from '../open/textTokenizer.ts';
import { versions } from '../versions.ts';
import { damagedDocuments } from './damagedDocuments.ts';
import { documentScores } from './documentScores.ts';
import { claimEvaluationFolder, writeEvaluation } from './evaluationFolder.ts';

/** Documents whose texts a report shows. */
const SHOWN_DOCUMENTS = 6;

/** An evaluation against a baseline, and what it was made of. */
export interface Evaluated {
  readonly request: EvaluateRequest;
  readonly opened: OpenedModel;
  readonly baseline: OpenedModel;
  readonly text: PreparedText;
  readonly device: Device;
  readonly scores: WindowScores;
  readonly evaluation: Evaluation;
}

/** Checks before any work that a report can be written where one was asked for. Errors: USAGE without a baseline; OUTPUT_EXISTS, WRITE_FAILED. */
export async function claimReport({ report, baseline, force }: EvaluateRequest): Promise<void> {
  if (report === undefined) return;
  if (baseline === undefined) {
    throw new CompressionError('USAGE', '--report shows what changed: it needs --baseline <model> to compare with.');
  }
  await claimEvaluationFolder(report, force ?? false);
}

/** Writes the report of an evaluation; returns the path of its page. Errors: WRITE_FAILED. Cost: runs the shown documents once more. */
export async function drawEvaluationReport(evaluated: Evaluated): Promise<string> {
  const { request, opened, baseline, text, device, scores, evaluation } = evaluated;
  const documents = documentScores(scores);
  const tokenizer = await textTokenizer(opened);
  const { windows, windowLength, stride } = text;
  const models = { model: opened.model, baseline: baseline.model };
  const source = { ...models, windows, tokenizer, device, threads: request.threads };
  const damaged = await damagedDocuments(documents, source, SHOWN_DOCUMENTS);
  return writeEvaluation(request.report!, {
    version: versions().quern,
    model: request.model,
    baseline: request.baseline!,
    data: { id: text.data.id, sha256: text.data.sha256 },
    windowLength,
    stride,
    perDocument: request.perDocument,
    device,
    evaluation: { ...evaluation, baseline: evaluation.baseline! },
    documents: documents.map(({ window: _, ...score }) => score),
    damaged,
  });
}
