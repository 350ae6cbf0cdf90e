import { availableParallelism } from 'node:os';
import { CompressionError } from '@quern/core';
import { type Evaluation, summarizeScores } from '@quern/evaluator';
import { type GraphProto, isQuantized, type OnnxModel, withAccuracyLevel } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { chooseDevice } from './device/chooseDevice.ts';
import { describeDevice } from './device/describeDevice.ts';
import { claimReport, drawEvaluationReport } from './evaluation/drawEvaluationReport.ts';
import type { Emit } from './events.ts';
import { beginText, type ComingText, wholeText } from './open/beginText.ts';
import { type OpenedModel, openModel } from './open/openModel.ts';
import { type PreparedText, prepareText } from './open/prepareText.ts';
import { sameTokenizers } from './open/sameTokenizers.ts';
import { windowLengthFor } from './open/windowLengthFor.ts';
import { scoreStage } from './scoreStage.ts';

export interface EvaluateRequest {
  readonly model: string;
  readonly tokenizer?: string | undefined;
  readonly baseline?: string | undefined;
  readonly data: string;
  readonly windowLength?: number | undefined;
  readonly stride?: number | undefined;
  readonly perDocument: boolean;
  readonly device: 'auto' | Device;
  readonly threads?: number | undefined;
  /** Of the paired bootstrap; 0 unless given. */
  readonly seed?: number | undefined;
  /** Folder for evaluation.json and report.html; needs a baseline. */
  readonly report?: string | undefined;
  /** Replaces the report of an earlier evaluation. */
  readonly force?: boolean | undefined;
}

export interface EvaluateResult extends Evaluation {
  readonly model: string;
  readonly data: string;
  readonly windowLength: number;
  readonly stride: number;
  readonly windowCount: number;
  readonly device: Device;
  /** Why `auto` came down to the CPU; null otherwise. */
  readonly fallbackReason: string | null;
  /** Accuracy level of the n-bit kernels as the file ships; null when it has none. */
  readonly accuracyLevel: number | null;
  /** Perplexity with float32 arithmetic in the n-bit kernels; equals `perplexity` when the file has none. */
  readonly exact: number;
  /** Path of report.html, where one was asked for. */
  readonly report?: string;
  readonly durationMs: number;
}

/**
 * Perplexity of a checkpoint or of a written folder, and its distance from a baseline.
 *
 * Errors: those of `openModel` and `prepareText`; INVALID_OPTION when the baseline reads another vocabulary; USAGE for a report without
 * a baseline; OUTPUT_EXISTS, WRITE_FAILED.
 */
export async function evaluateModel(
  request: EvaluateRequest,
  emit: Emit,
  signal?: AbortSignal,
): Promise<EvaluateResult> {
  const started = performance.now();
  await claimReport(request);
  const chosen = await chooseDevice(request.device, emit);
  const { device, fallbackReason } = chosen;
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(chosen)}` });
  const opened = await openModel(request.model, { tokenizer: request.tokenizer });
  const baseline = request.baseline ? await openModel(request.baseline, { tokenizer: request.tokenizer }) : null;
  const windowLength = sharedWindowLength(opened, baseline, request);
  const wanted = { ...request, windowLength, part: 'evaluation' } as const;
  const begun = leavesCore(device, request.threads)
    ? await beginText(opened, wanted, signal)
    : await prepareText(opened, wanted);
  if (baseline) await checkSameTokens({ opened, baseline }, begun, request);
  const scores = await scoreStage(opened.model, begun, {
    stage: 'evaluate result',
    device,
    request,
    emit,
    signal,
    baseline,
  });
  const text = await wholeText(begun);
  const evaluation = summarizeScores(scores, text, request.seed ?? 0);
  const accuracyLevel = shippedAccuracyLevel(opened.model);
  let exact = evaluation.perplexity;
  if (accuracyLevel !== null && accuracyLevel >= 4) {
    const floatModel = withAccuracyLevel(opened.model, 0);
    const floatScores = await scoreStage(floatModel, text, {
      stage: 'evaluate exactly',
      device,
      request,
      emit,
      signal,
    });
    exact = summarizeScores(floatScores, text).perplexity;
  }
  const report =
    request.report === undefined || !baseline
      ? {}
      : { report: await drawEvaluationReport({ request, opened, baseline, text, device, scores, evaluation }) };
  return {
    ...evaluation,
    model: request.model,
    data: text.data.id,
    windowLength: text.windowLength,
    stride: text.stride,
    windowCount: text.windows.length,
    device,
    fallbackReason,
    accuracyLevel,
    exact,
    ...report,
    durationMs: Math.round(performance.now() - started),
  };
}

/** The accuracy level of the first n-bit kernel, those in sub-graphs included; null for a model without. */
export function shippedAccuracyLevel(model: OnnxModel): number | null {
  if (!isQuantized(model)) return null;
  return model.proto.graph ? levelIn(model.proto.graph) : null;
}

function levelIn(graph: GraphProto): number | null {
  for (const { opType, attribute } of graph.node) {
    if (opType === 'MatMulNBits') return Number(attribute.find(({ name }) => name === 'accuracy_level')?.i ?? 0);
    for (const { g } of attribute) {
      const level = g ? levelIn(g) : null;
      if (level !== null) return level;
    }
  }
  return null;
}

/** Tokens a window: as asked for; else the model's own choice, cut to what the baseline can read. */
function sharedWindowLength(opened: OpenedModel, baseline: OpenedModel | null, request: EvaluateRequest): number {
  const own = windowLengthFor(opened.text?.contextLength ?? null, request);
  return request.windowLength === undefined ? Math.min(own, baseline?.text?.contextLength ?? own) : own;
}

/** Whether scoring leaves a processor idle: threads that must wait for a core lose more than tokenising beside them saves. */
function leavesCore(device: Device, threads: number | undefined): boolean {
  return device !== 'cpu' || (threads !== undefined && threads < availableParallelism());
}

/** A baseline scored on other token ids would be compared with noise: its own tokenizer must give the same windows. */
async function checkSameTokens(
  { opened, baseline }: { readonly opened: OpenedModel; readonly baseline: OpenedModel },
  begun: PreparedText | ComingText,
  request: EvaluateRequest,
): Promise<void> {
  const { windowLength } = begun;
  windowLengthFor(baseline.text?.contextLength ?? null, { windowLength });
  if (await sameTokenizers(opened, baseline)) return;
  const own = await prepareText(baseline, { ...request, windowLength, part: 'evaluation' });
  const text = await wholeText(begun);
  const same =
    own.windows.length === text.windows.length &&
    own.windows.every((window, index) => {
      const other = text.windows[index]!.ids;
      return window.ids.length === other.length && window.ids.every((id, position) => id === other[position]);
    });
  if (same) return;
  throw new CompressionError(
    'INVALID_OPTION',
    `--baseline ${baseline.path} splits the text into other tokens than the model: use a baseline with the same tokenizer.`,
    { baseline: baseline.path },
  );
}
