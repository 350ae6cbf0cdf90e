import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CompressionError } from '@quern/core';
import { summarizeScores } from '@quern/evaluator';
import { findLinearSites } from '@quern/onnx';
import { withoutBudget } from '../budget/withoutBudget.ts';
import type { CompressRequest } from '../compressRequest.ts';
import { chooseDevice } from '../device/chooseDevice.ts';
import { describePlaces } from '../device/describePlaces.ts';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { hashFiles } from '../open/hashFiles.ts';
import { materialContent } from '../open/material.ts';
import { openModel } from '../open/openModel.ts';
import { prepareMaterial } from '../open/prepareMaterial.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { refuseAuto, rotateOpened } from '../open/rotateOpened.ts';
import { openEngine } from '../openEngine.ts';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import { checkOut } from '../output/checkOut.ts';
import { leaveRun } from '../output/leaveRun.ts';
import { claimRunFolder, hasRun } from '../output/runFolder.ts';
import { toJsonText } from '../output/toJsonText.ts';
import { progressWithin } from '../progressWithin.ts';
import type { Comparison, ComparisonRow } from '../report/comparison.ts';
import { scoreBefore } from '../scoreRun.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { originOf } from '../solve/originOf.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { checkRows } from './checkRows.ts';
import { type Comparing, describeComparison } from './describeComparison.ts';
import { everySite } from './everySite.ts';
import { makeRow } from './makeRow.ts';
import { REPORT_FILE, RESULTS_FILE, readComparison } from './readComparison.ts';
import { redrawReport } from './redrawReport.ts';

export interface CompareRequest extends CompressRequest {
  /** `name[:bits[:group]][+correction]` each. */
  readonly methods: readonly string[];
  /** Fractions of the bytes to remove, for methods that take one. */
  readonly ratios: readonly number[];
}

export interface CompareResult {
  readonly comparison: Comparison;
  /** Path of report.html. */
  readonly report: string;
}

/**
 * Compresses one model in many ways and measures each file that was written: `results.json` and `report.html` in `out`.
 *
 * The calibration runs once through the original model; every method gets the same statistics. Rows are finished one by one and
 * survive a crash: `resume` makes the missing ones.
 * Errors: those of `compress`; USAGE without methods.
 */
export async function compare(given: CompareRequest, emit: Emit, signal?: AbortSignal): Promise<CompareResult> {
  const request = { ...given, recipe: withoutBudget(given.recipe) };
  const { out: path, force, resume } = request;
  await checkOut(request);
  const chosen = await chooseDevice(request.device, emit);
  const { device, fallbackReason, solvesOn } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describePlaces(chosen)}` });
  refuseAuto(request.recipe);
  const original = await openModel(request.model, { tokenizer: request.tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(original);
  const opened = await rotateOpened(original, request.recipe, { emit, signal });
  const all = everySite(findLinearSites(opened.model), request.recipe);
  const recipe = adoptDtype(opened, all, request.recipe);
  const rows = checkRows(opened.model, { ...request, recipe }, emit);
  const { calibration, evaluation } = await prepareMaterial(
    opened,
    { ...request, recipe },
    { isCalibrated: true, original, device, emit, signal },
  );
  if (evaluation?.kind === 'feeds') {
    throw new CompressionError(
      'INVALID_OPTION',
      'compare measures perplexity on text: it takes --feeds with --evaluate none only.',
    );
  }
  const text = evaluation?.text ?? null;
  const sources = await hashFiles(opened, signal);
  checkInterrupted(signal);
  const origin = await originOf({
    opened,
    sources,
    calibration,
    request: { ...request, recipe },
    device,
    solvesOn,
    engine,
  });
  const parts = {
    ...(recipe as unknown as Record<string, JobContent>),
    ...origin,
    evaluation: evaluation && materialContent(evaluation),
    methods: request.methods,
    ratios: request.ratios,
  };
  const key = jobKey(parts);
  const finished = resume && !(await hasRun(path)) ? await readComparison(path).catch(() => null) : null;
  if (finished?.settings.key === key) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return redrawReport(path);
  }
  const folder = await claimRunFolder({ path, parts, force, resume });
  const results = await openResultStore(folder.results);
  const run = {
    request: { ...request, recipe },
    opened,
    calibration,
    origin,
    device,
    fallbackReason,
    solvesOn,
    engine,
    folder,
    results,
    signal,
  };
  // Rows are measured against the model as it was published, whatever their own type.
  const isPublished = opened.kind === 'onnx' || recipe.dtype === 'fp32';
  const baseline = isPublished ? original : await openModel(request.model, { tokenizer: request.tokenizer });
  const made: ComparisonRow[] = [];
  try {
    const before = text && (await scoreBefore({ ...run, emit }, text));
    emit({ kind: 'stage', stage: 'compare', detail: `${rows.length} rows` });
    for (const row of rows) {
      checkInterrupted(signal);
      const name = row.ratio === null ? row.method : `${row.method} at ${row.ratio}`;
      const place = { done: made.length, total: rows.length, unit: 'rows' } as const;
      emit({ kind: 'progress', stage: 'compare', ...place, detail: name });
      made.push(
        await makeRow(
          { run: { ...run, emit: progressWithin(emit, { stage: 'compare', ...place }, name) }, baseline, text },
          row,
        ),
      );
    }
    emit({ kind: 'progress', stage: 'compare', done: rows.length, total: rows.length, unit: 'rows' });
    const originalPerplexity = before && summarizeScores(before, text!).perplexity;
    const comparing: Comparing = { ...run, request: run.request, sources, plans: all, text, key, originalPerplexity };
    const comparison = describeComparison(comparing, made);
    await writeFile(join(folder.staging, RESULTS_FILE), toJsonText(comparison));
    // Charts take half a second to load.
    const { renderReport } = await import('../report/renderReport.ts');
    await writeFile(join(folder.staging, REPORT_FILE), renderReport(comparison));
    await folder.commit(RESULTS_FILE);
    return { comparison, report: join(path, REPORT_FILE) };
  } catch (error) {
    throw await leaveRun(asWriteFailure(error, path), folder, await results.count().catch(() => 0));
  }
}
