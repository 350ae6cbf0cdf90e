import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toErrorRecord } from '@quern/core';
import { summarizeScores } from '@quern/evaluator';
import { findBlockCuts, findLinearSites, readOnnxModel } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import { scoreStage } from '../evaluateModel.ts';
import { type OpenedModel, openModel } from '../open/openModel.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { textContent } from '../open/textContent.ts';
import type { OutputLayout } from '../output/outputLayout.ts';
import { packResult } from '../output/packed/packResult.ts';
import { writeResult } from '../output/writeResult.ts';
import type { ComparisonRow } from '../report/comparison.ts';
import type { CompressRun } from '../run.ts';
import { jobKey } from '../solve/jobKey.ts';
import { plansInTotals, selectSites } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { storedTotals } from '../solve/storedTotals.ts';
import type { RowPlan } from './comparisonRows.ts';

/** What the rows of a comparison share. `run.opened` is the original and is never changed. */
export interface RowContext {
  readonly run: Omit<CompressRun, 'plans' | 'cuts' | 'layout'>;
  /** The model as it was published, which rows are measured against. */
  readonly baseline: OpenedModel;
  /** Null when nothing is measured. */
  readonly text: PreparedText | null;
}

/** Files of a row lie side by side: they are measured and removed. */
const layout: OutputLayout = {
  graphFolder: '',
  graphName: 'model.onnx',
  dataName: 'model.onnx_data',
  finish: async () => undefined,
};

/**
 * Compresses the model as one row asks, writes it, and measures the file that was written, as it ships. Kept in the result store.
 * A method that fails on this model gives a row that says so.
 */
export async function makeRow({ run, baseline, text }: RowContext, planned: RowPlan): Promise<ComparisonRow> {
  const { results, origin, request, folder } = run;
  const key = jobKey({ row: planned.recipe as never, origin, text: text && textContent(text) });
  const known = await results.load<ComparisonRow>(key);
  if (known) return known;
  // The graph is rewritten: every row begins with one of its own.
  const own = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  const plans = selectSites(findLinearSites(own.model), planned.recipe);
  const staging = join(folder.staging, 'row');
  await mkdir(staging, { recursive: true });
  try {
    const row: CompressRun = {
      ...run,
      request: { ...request, recipe: planned.recipe },
      opened: own,
      plans,
      cuts: findBlockCuts(own.model),
      layout,
      folder: { ...folder, staging },
    };
    const written = await writeResult(row);
    const measured = text && (await measure(row, baseline, text, written.graph));
    const stored = await packResult(row, written);
    const made = { ...describeRow(planned, plans, stored.sites), ...(measured ?? NOT_MEASURED), failure: null };
    await results.save(key, made);
    return made;
  } catch (error) {
    const { code, message } = toErrorRecord(error);
    if (code !== 'SOLVER_FAILED' && code !== 'NOT_POSITIVE_DEFINITE') throw error;
    run.emit({ kind: 'warning', message: `${planned.method}: ${message}` });
    return { ...describeRow(planned, plans, []), ...NOT_MEASURED, failure: message };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const NOT_MEASURED = {
  perplexity: null,
  standardError: null,
  klDivergence: null,
  nllDifference: null,
  nllDifferenceStandardError: null,
};

async function measure(run: CompressRun, baseline: OpenedModel, text: PreparedText, graph: string) {
  const written = await readOnnxModel(graph);
  const scores = await scoreStage(written, text, { ...run, stage: 'evaluate result', baseline });
  const evaluation = summarizeScores(scores, text.byteCount);
  const { perplexity, standardError } = evaluation;
  const { klDivergence, nllDifference, nllDifferenceStandardError } = evaluation.baseline!;
  return { perplexity, standardError, klDivergence, nllDifference, nllDifferenceStandardError };
}

function describeRow(planned: RowPlan, plans: readonly SitePlan[], reports: readonly SiteReport[]) {
  const elementCounts = new Map(plans.map(({ site }) => [site.name, site.outFeatures * site.inFeatures]));
  const counted = new Set(plansInTotals(plans).map(plan => plan.site.name));
  const errors = reports.filter(({ name }) => counted.has(name)).map(report => report.relativeOutputError);
  const { storedBytes, bitsPerWeight } = storedTotals(plans, reports);
  return {
    method: planned.method,
    ratio: planned.ratio,
    // Of the method itself, not of a rule's.
    options: (plans.find(plan => plan.solver === planned.recipe.method) ?? plans[0])?.options ?? {},
    storedBytes,
    bitsPerWeight: bitsPerWeight ?? 0,
    relativeOutputError: mean(errors),
    solveMs: reports.reduce((sum, { durationMs }) => sum + durationMs, 0),
    sites: reports.map(({ name, solver, storageBits, relativeOutputError }) => ({
      name,
      solver,
      storageBits,
      elementCount: elementCounts.get(name)!,
      relativeOutputError,
    })),
  };
}

/** Null when a value is missing: a mean over fewer sites would compare with others over all. */
function mean(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
}
