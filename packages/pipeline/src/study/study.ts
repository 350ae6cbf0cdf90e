import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnnxModel, readOnnxModel } from '@quern/onnx';
import { type SharedRun, writeRow } from '../compare/writeRow.ts';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { hashGraph } from '../open/hashGraph.ts';
import { openModel } from '../open/openModel.ts';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import { checkOut } from '../output/checkOut.ts';
import { leaveRun } from '../output/leaveRun.ts';
import { claimRunFolder, hasRun } from '../output/runFolder.ts';
import { progressWithin } from '../progressWithin.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { storedTotals } from '../solve/storedTotals.ts';
import { describeStudy } from './describeStudy.ts';
import { measureCell, type StudyMeasures } from './measureCell.ts';
import { openStudy, type StudyInputs } from './openStudy.ts';
import { readStudy, STUDY_FILE } from './readStudy.ts';
import { renderStudy, STUDY_FIGURE_FILE } from './renderStudy.ts';
import type { CellPlan } from './studyCells.ts';
import { writeStudyRecipe } from './studyGrid.ts';
import type { StudyRequest } from './studyRequest.ts';
import type { Study, StudyCell, StudyScores } from './studyResult.ts';

export interface StudyResult {
  readonly study: Study;
  /** The report as Markdown. */
  readonly report: string;
}

export const STUDY_REPORT_FILE = 'study.md';
export const STUDY_RECIPE_FILE = 'recipe.yaml';

/**
 * Compresses one model at every width, on every calibration, with every method of a grid, scores each written file on the same texts and
 * tasks, and tests the differences: `study.json`, `study.md` with its figure and the recipe that gives the same bytes again, in `out`.
 *
 * Each calibration runs once through the original model and the original is scored once. Cells are finished one by one and survive a
 * crash: `resume` makes the missing ones.
 * Errors: those of `compress`, `studyCells` and `prepareTask`.
 */
export async function study(request: StudyRequest, emit: Emit, signal?: AbortSignal): Promise<StudyResult> {
  const { out: path, force, resume } = request;
  await checkOut(request);
  const inputs = await openStudy(request, emit, signal);
  const { request: own, plan, calibrations, measures, measured, origin, parts, key } = inputs;
  const { cells } = plan;
  const finished = resume && !(await hasRun(path)) ? await readStudy(path).catch(() => null) : null;
  if (finished?.key === key) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return { study: finished, report: renderStudy(finished) };
  }
  const folder = await claimRunFolder({ path, parts, force, resume });
  const results = await openResultStore(folder.results);
  const { opened, device, fallbackReason, solvesOn, engine } = inputs;
  const shared = { request: own, opened, device, fallbackReason, solvesOn, engine, folder, results, signal };
  try {
    const scoreOriginal = async (): Promise<StudyScores> => {
      const model = await publishedModel(inputs);
      const content = async () => ({ original: await origin(undefined) });
      return measureCell({ model, content, stage: 'evaluate original' }, measures, { ...shared, emit });
    };
    const original = await kept(results, { original: await origin(undefined), ...measured }, scoreOriginal);
    emit({ kind: 'stage', stage: 'study', detail: `${cells.length} cells` });
    const made: StudyCell[] = [];
    for (const cell of cells) {
      checkInterrupted(signal);
      const text = cell.calibration === null ? undefined : calibrations.get(cell.calibration)!;
      const place = { done: made.length, total: cells.length, unit: 'cells' } as const;
      emit({ kind: 'progress', stage: 'study', ...place, detail: nameCell(cell) });
      const run: SharedRun = {
        ...shared,
        calibration: text ? { kind: 'text', text } : null,
        origin: await origin(text),
        emit: progressWithin(emit, { stage: 'study', ...place }, nameCell(cell)),
      };
      const content = { cell: cell.recipe as unknown as JobContent, origin: run.origin, ...measured };
      made.push(await kept(results, content, () => makeCell(run, cell, measures)));
    }
    emit({ kind: 'progress', stage: 'study', done: cells.length, total: cells.length, unit: 'cells' });
    const found = describeStudy(inputs, original, made);
    const report = renderStudy(found);
    await writeFile(join(folder.staging, STUDY_FILE), `${JSON.stringify(found)}\n`);
    await writeFile(join(folder.staging, STUDY_REPORT_FILE), report);
    // Charts take half a second to load.
    const { drawStudy } = await import('./drawStudy.ts');
    await writeFile(join(folder.staging, STUDY_FIGURE_FILE), drawStudy(found));
    await writeFile(join(folder.staging, STUDY_RECIPE_FILE), writeStudyRecipe(own.grid, own.recipe));
    await folder.commit(STUDY_FILE);
    return { study: found, report };
  } catch (error) {
    throw await leaveRun(asWriteFailure(error, path), folder, await results.count().catch(() => 0));
  }
}

/** The model that cells are measured against, in float32 whatever their own type. */
async function publishedModel({ request, opened, published }: StudyInputs): Promise<OnnxModel> {
  const isPublished = opened.kind === 'onnx' || request.recipe.dtype === 'fp32';
  return (isPublished ? published : await openModel(request.model, { tokenizer: request.tokenizer })).model;
}

/** A result from the store, or made and stored. */
async function kept<Result>(
  results: SharedRun['results'],
  content: JobContent,
  make: () => Promise<Result>,
): Promise<Result> {
  const key = jobKey(content);
  const known = await results.load<Result>(key);
  if (known) return known;
  const made = await make();
  await results.save(key, made);
  return made;
}

async function makeCell(run: SharedRun, cell: CellPlan, measures: StudyMeasures): Promise<StudyCell> {
  const { plans, sites, measured, failure } = await writeRow(run, cell.recipe, async graph => {
    const model = await readOnnxModel(graph);
    const content = () => hashGraph(graph, model, run.signal);
    return measureCell({ model, content, stage: 'evaluate result' }, measures, run);
  });
  const { storedBytes, bitsPerWeight } = storedTotals(plans, sites);
  const { method, bits, calibration } = cell;
  return { method, bits, calibration, storedBytes, bitsPerWeight: bitsPerWeight ?? 0, scores: measured, failure };
}

function nameCell({ method, bits, calibration }: CellPlan): string {
  return calibration === null ? `${method}:${bits}` : `${method}:${bits} on ${calibration}`;
}
