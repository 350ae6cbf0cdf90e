import { summarizeScores } from '@quern/evaluator';
import { readOnnxModel } from '@quern/onnx';
import type { SiteReport } from '../compressRequest.ts';
import { damagedDocuments } from '../evaluation/damagedDocuments.ts';
import { documentScores } from '../evaluation/documentScores.ts';
import { rowScores } from '../evaluation/rowScores.ts';
import type { OpenedModel } from '../open/openModel.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { textContent } from '../open/textContent.ts';
import { textTokenizer } from '../open/textTokenizer.ts';
import type { ComparisonRow } from '../report/comparison.ts';
import type { CompressRun } from '../run.ts';
import { scoreStage } from '../scoreStage.ts';
import { jobKey } from '../solve/jobKey.ts';
import { plansInTotals } from '../solve/selectSites.ts';
import type { SitePlan } from '../solve/sitePlan.ts';
import { storedTotals } from '../solve/storedTotals.ts';
import type { RowPlan } from './comparisonRows.ts';
import { type SharedRun, writeRow } from './writeRow.ts';

/** What the rows of a comparison share. */
export interface RowContext {
  readonly run: SharedRun;
  /** The model as it was published, which rows are measured against. */
  readonly baseline: OpenedModel;
  /** Null when nothing is measured. */
  readonly text: PreparedText | null;
}

/**
 * Compresses the model as one row asks, writes it, and measures the file that was written, as it ships. Kept in the result store.
 * A method that fails on this model gives a row that says so.
 */
export async function makeRow({ run, baseline, text }: RowContext, planned: RowPlan): Promise<ComparisonRow> {
  const { results, origin } = run;
  const key = jobKey({ scoredRow: planned.recipe as never, origin, text: text && textContent(text) });
  const known = await results.load<ComparisonRow>(key);
  if (known) return known;
  const { plans, sites, measured, failure } = await writeRow(
    run,
    planned.recipe,
    async (graph, row) => text && measure(row, baseline, text, graph),
  );
  const made = { ...describeRow(planned, plans, sites), ...(measured ?? NOT_MEASURED), failure };
  if (failure === null) await results.save(key, made);
  return made;
}

const NOT_MEASURED = {
  perplexity: null,
  standardError: null,
  klDivergence: null,
  nllDifference: null,
  nllDifferenceStandardError: null,
  scores: null,
};

/** Documents whose texts the report shows of each row. */
const SHOWN_DOCUMENTS = 1;

async function measure(run: CompressRun, baseline: OpenedModel, text: PreparedText, graph: string) {
  const written = await readOnnxModel(graph);
  const scores = await scoreStage(written, text, { ...run, stage: 'evaluate result', baseline });
  const evaluation = summarizeScores(scores, text, run.request.recipe.seed);
  const { perplexity, standardError } = evaluation;
  const compared = evaluation.baseline!;
  const { klDivergence, nllDifference, nllDifferenceStandardError } = compared;
  const documents = documentScores(scores);
  const { device, request } = run;
  const tokenizer = await textTokenizer(baseline);
  const models = { model: written, baseline: baseline.model };
  const source = { ...models, windows: text.windows, tokenizer, device, threads: request.threads };
  const damaged = await damagedDocuments(documents, source, SHOWN_DOCUMENTS);
  const plain = documents.map(({ window: _, ...score }) => score);
  return {
    perplexity,
    standardError,
    klDivergence,
    nllDifference,
    nllDifferenceStandardError,
    scores: rowScores({ ...evaluation, baseline: compared }, plain, damaged),
  };
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
    sites: reports.map(({ name, solver, storageBits, relativeOutputError, convergence }) => ({
      name,
      solver,
      storageBits,
      elementCount: elementCounts.get(name)!,
      relativeOutputError,
      ...(convergence === undefined ? {} : { convergence }),
    })),
  };
}

/** Null when a value is missing: a mean over fewer sites would compare with others over all. */
function mean(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
}
