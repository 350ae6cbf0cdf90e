import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { findLinearSites, readOnnxModel } from '@quern/onnx';
import { withoutBudget } from '../budget/withoutBudget.ts';
import { everySite } from '../compare/everySite.ts';
import { type SharedRun, writeRow } from '../compare/writeRow.ts';
import type { CompressRequest } from '../compressRequest.ts';
import { chooseDevice } from '../device/chooseDevice.ts';
import { describeDevice } from '../device/describeDevice.ts';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { hashFile } from '../open/hashFile.ts';
import { openModel } from '../open/openModel.ts';
import { type PreparedText, prepareText } from '../open/prepareText.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { refuseAuto, rotateOpened } from '../open/rotateOpened.ts';
import { textContent } from '../open/textContent.ts';
import { openEngine } from '../openEngine.ts';
import { asWriteFailure } from '../output/asWriteFailure.ts';
import { checkOut } from '../output/checkOut.ts';
import { leaveRun } from '../output/leaveRun.ts';
import { claimRunFolder, hasRun } from '../output/runFolder.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { originOf } from '../solve/originOf.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { storedTotals } from '../solve/storedTotals.ts';
import { checkTaskData } from '../tasks/checkTaskData.ts';
import { type PreparedTask, prepareTask } from '../tasks/prepareTask.ts';
import { versions } from '../versions.ts';
import { measureCell, type StudyMeasures } from './measureCell.ts';
import { prepareCalibrations } from './prepareCalibrations.ts';
import { readStudy, STUDY_FILE } from './readStudy.ts';
import { renderStudy, STUDY_FIGURE_FILE } from './renderStudy.ts';
import { type CellPlan, studyCells } from './studyCells.ts';
import { type StudyGrid, writeStudyRecipe } from './studyGrid.ts';
import type { Study, StudyCell, StudyScores } from './studyResult.ts';
import { testStudy } from './testStudy.ts';

export interface StudyRequest extends CompressRequest {
  readonly grid: StudyGrid;
}

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
  const { out: path, force, resume, grid, tokenizer } = request;
  await checkOut(request);
  const chosen = await chooseDevice(request.device, emit);
  const { device, fallbackReason } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describeDevice(chosen)}` });
  refuseAuto(request.recipe);
  const published = await openModel(request.model, { tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(published);
  const opened = await rotateOpened(published, request.recipe, { emit, signal });
  const sites = findLinearSites(opened.model);
  const recipe = adoptDtype(opened, everySite(sites, request.recipe), withoutBudget(request.recipe));
  const own = { ...request, recipe };
  const { cells, unavailable } = studyCells(opened.model, sites, { grid, base: recipe, emit });
  const measures = await prepareMeasures(own, emit);
  const calibrated = new Set(cells.flatMap(({ calibration }) => calibration ?? []));
  const calibrations = await prepareCalibrations(
    opened,
    own,
    grid.calibration.filter(name => calibrated.has(name)),
    { original: published, device, emit, signal },
  );
  const sources = await Promise.all(opened.files.map(file => hashFile(file, signal)));
  checkInterrupted(signal);
  const origin = (text: PreparedText | undefined) =>
    originOf({ opened, sources, calibration: text ? { kind: 'text', text } : null, request: own, device, engine });
  const measured = { texts: measures.texts.map(textContent), tasks: measures.tasks.map(taskContent) };
  const parts = {
    ...(recipe as unknown as Record<string, JobContent>),
    ...origin(undefined),
    ...measured,
    grid: grid as unknown as JobContent,
    calibrations: [...calibrations].map(([name, text]) => [name, textContent(text)]),
  };
  const key = jobKey(parts);
  const finished = resume && !(await hasRun(path)) ? await readStudy(path).catch(() => null) : null;
  if (finished?.key === key) {
    emit({ kind: 'warning', message: `${path} was finished before: there is nothing to resume.` });
    return { study: finished, report: renderStudy(finished) };
  }
  const folder = await claimRunFolder({ path, parts, force, resume });
  const results = await openResultStore(folder.results);
  const shared = { request: own, opened, device, fallbackReason, engine, folder, results, signal };
  try {
    const scoreOriginal = async (): Promise<StudyScores> => {
      const isPublished = opened.kind === 'onnx' || recipe.dtype === 'fp32';
      const { model } = isPublished ? published : await openModel(request.model, { tokenizer });
      return measureCell(model, measures, { ...shared, emit }, 'evaluate original');
    };
    const original = await kept(results, { original: origin(undefined), ...measured }, scoreOriginal);
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
        origin: origin(text),
        emit: within(emit, place, nameCell(cell)),
      };
      const content = { cell: cell.recipe as unknown as JobContent, origin: run.origin, ...measured };
      made.push(await kept(results, content, () => makeCell(run, cell, measures)));
    }
    emit({ kind: 'progress', stage: 'study', done: cells.length, total: cells.length, unit: 'cells' });
    const found = describeStudy({
      request: own,
      sources,
      calibrations,
      measures,
      original,
      cells: made,
      unavailable,
      key,
    });
    const report = renderStudy(found);
    await writeFile(join(folder.staging, STUDY_FILE), `${JSON.stringify(found)}\n`);
    await writeFile(join(folder.staging, STUDY_REPORT_FILE), report);
    // Charts take half a second to load.
    const { drawStudy } = await import('./drawStudy.ts');
    await writeFile(join(folder.staging, STUDY_FIGURE_FILE), drawStudy(found));
    await writeFile(join(folder.staging, STUDY_RECIPE_FILE), writeStudyRecipe(grid, recipe));
    await folder.commit(STUDY_FILE);
    return { study: found, report };
  } catch (error) {
    throw await leaveRun(asWriteFailure(error, path), folder, await results.count().catch(() => 0));
  }
}

async function prepareMeasures(request: StudyRequest, emit: Emit): Promise<StudyMeasures> {
  const { grid, tokenizer } = request;
  const { windowLength, perDocument } = grid;
  const opened = await openModel(request.model, { tokenizer });
  const texts: PreparedText[] = [];
  for (const data of grid.data) {
    texts.push(await prepareText(opened, { data, part: 'evaluation', windowLength, perDocument }));
  }
  const tasks: PreparedTask[] = [];
  if (grid.tasks.length > 0) await checkTaskData(grid.tasks, grid.taskData!);
  for (const task of grid.tasks) {
    tasks.push(await prepareTask(opened, { task, data: grid.taskData!, limit: grid.limit }, emit));
  }
  return { texts, tasks };
}

/** What a task's answers depend on, as JSON. */
function taskContent({ definition, data, windows, requests }: PreparedTask) {
  const tokens = createHash('sha256');
  for (const { ids, firstScored } of windows) tokens.update(Int32Array.of(ids.length, firstScored)).update(ids);
  return { id: definition.id, sha256: data.sha256, tokens: tokens.digest('hex'), itemCount: requests.length };
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
  const { plans, sites, measured, failure } = await writeRow(run, cell.recipe, async graph =>
    measureCell(await readOnnxModel(graph), measures, run, 'evaluate result'),
  );
  const { storedBytes, bitsPerWeight } = storedTotals(plans, sites);
  const { method, bits, calibration } = cell;
  return { method, bits, calibration, storedBytes, bitsPerWeight: bitsPerWeight ?? 0, scores: measured, failure };
}

function nameCell({ method, bits, calibration }: CellPlan): string {
  return calibration === null ? `${method}:${bits}` : `${method}:${bits} on ${calibration}`;
}

/** What goes on inside a cell, told as the progress of the study. */
function within(
  emit: Emit,
  place: { readonly done: number; readonly total: number; readonly unit: 'cells' },
  cell: string,
): Emit {
  return event => {
    if (event.kind === 'warning') emit(event);
    if (event.kind !== 'progress') return;
    const { stage, done, total } = event;
    emit({ kind: 'progress', stage: 'study', ...place, detail: `${cell}: ${stage} ${done} of ${total}` });
  };
}

interface Found {
  readonly request: StudyRequest;
  readonly sources: readonly string[];
  readonly calibrations: ReadonlyMap<string, PreparedText>;
  readonly measures: StudyMeasures;
  readonly original: StudyScores;
  readonly cells: readonly StudyCell[];
  readonly unavailable: Study['unavailable'];
  readonly key: string;
}

function describeStudy({ request, sources, calibrations, measures, original, cells, unavailable, key }: Found): Study {
  const { grid, recipe } = request;
  const texts = measures.texts.map(({ data, windowLength, stride, windows }) => ({
    data: data.id,
    sha256: data.sha256,
    windowLength,
    stride,
    tokenCounts: windows.map(({ ids, firstScored }) => Math.max(0, ids.length - firstScored)),
  }));
  const tasks = measures.tasks.map(({ definition, data, items }) => ({
    task: definition.id,
    data: data.id,
    sha256: data.sha256,
    itemCount: items.length,
    measure: items[0]!.lengths ? ('acc_norm' as const) : ('acc' as const),
  }));
  return {
    version: versions().quern,
    model: { path: basename(request.model), sha256: sources },
    grid,
    recipe,
    calibrations: [...calibrations].map(
      ([
        data,
        {
          windows,
          windowLength,
          data: { sha256 },
        },
      ]) => ({
        data,
        windows: windows.length,
        windowLength,
        sha256,
      }),
    ),
    texts,
    tasks,
    original,
    cells,
    unavailable,
    tests: testStudy({ texts, tasks, original, cells }, recipe.seed),
    key,
  };
}
