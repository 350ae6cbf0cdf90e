import type { EngineDescription } from '@quern/linalg';
import { findLinearSites } from '@quern/onnx';
import type { Device } from '@quern/runtime';
import { withoutBudget } from '../budget/withoutBudget.ts';
import { everySite } from '../compare/everySite.ts';
import { chooseDevice } from '../device/chooseDevice.ts';
import { describePlaces } from '../device/describePlaces.ts';
import type { Emit } from '../events.ts';
import { checkInterrupted } from '../interruption.ts';
import { adoptDtype } from '../open/adoptDtype.ts';
import { hashFiles } from '../open/hashFiles.ts';
import { type OpenedModel, openModel } from '../open/openModel.ts';
import { type PreparedText, prepareText } from '../open/prepareText.ts';
import { refuseQuantized } from '../open/refuseQuantized.ts';
import { refuseAuto, rotateOpened } from '../open/rotateOpened.ts';
import { textContent } from '../open/textContent.ts';
import { openEngine } from '../openEngine.ts';
import { type JobContent, jobKey } from '../solve/jobKey.ts';
import { originOf } from '../solve/originOf.ts';
import { checkTaskData } from '../tasks/checkTaskData.ts';
import { type PreparedTask, prepareTask } from '../tasks/prepareTask.ts';
import { taskContent } from '../tasks/taskContent.ts';
import type { StudyMeasures } from './measureCell.ts';
import { prepareCalibrations } from './prepareCalibrations.ts';
import { type StudyPlan, studyCells } from './studyCells.ts';
import type { StudyRequest } from './studyRequest.ts';

/** Everything that a study is made from. */
export interface StudyInputs {
  /** With the recipe that all cells share. */
  readonly request: StudyRequest;
  /** The model as it was published, and as it is compressed. */
  readonly published: OpenedModel;
  readonly opened: OpenedModel;
  readonly device: Device;
  readonly fallbackReason: string | null;
  readonly solvesOn: Device;
  readonly engine: EngineDescription;
  /** Sums of the model's files. */
  readonly sources: readonly string[];
  readonly plan: StudyPlan;
  readonly calibrations: ReadonlyMap<string, PreparedText>;
  readonly measures: StudyMeasures;
  /** What figures depend on beside the model, as JSON. */
  readonly measured: Readonly<Record<string, JobContent>>;
  /** What a job on this calibration is made from. */
  readonly origin: (text: PreparedText | undefined) => Promise<Readonly<Record<string, JobContent>>>;
  /** All of it, as JSON, and its sum. */
  readonly parts: Readonly<Record<string, JobContent>>;
  readonly key: string;
}

/** Opens and checks everything that a study reads; writes nothing but text that the model itself writes. */
export async function openStudy(
  request: StudyRequest,
  emit: Emit,
  signal: AbortSignal | undefined,
): Promise<StudyInputs> {
  const { grid, tokenizer } = request;
  const chosen = await chooseDevice(request.device, emit);
  const { device, fallbackReason, solvesOn } = chosen;
  const engine = await openEngine();
  emit({ kind: 'stage', stage: 'open', detail: `${request.model} on ${describePlaces(chosen)}` });
  refuseAuto(request.recipe);
  const published = await openModel(request.model, { tokenizer, dtype: request.recipe.dtype });
  refuseQuantized(published);
  const opened = await rotateOpened(published, request.recipe, { emit, signal });
  const sites = findLinearSites(opened.model);
  const recipe = adoptDtype(opened, everySite(sites, request.recipe), withoutBudget(request.recipe));
  const own = { ...request, recipe };
  const plan = studyCells(opened.model, sites, { grid, base: recipe, emit });
  const measures = await prepareMeasures(own, emit);
  const calibrated = new Set(plan.cells.flatMap(({ calibration }) => calibration ?? []));
  const calibrations = await prepareCalibrations(
    opened,
    own,
    grid.calibration.filter(name => calibrated.has(name)),
    { original: published, device, emit, signal },
  );
  const sources = await hashFiles(opened, signal);
  checkInterrupted(signal);
  const origin = (text: PreparedText | undefined) =>
    originOf({
      opened,
      sources,
      calibration: text ? { kind: 'text', text } : null,
      request: own,
      device,
      solvesOn,
      engine,
    });
  const measured = { texts: measures.texts.map(textContent), tasks: measures.tasks.map(taskContent) };
  const parts = {
    ...(recipe as unknown as Record<string, JobContent>),
    ...(await origin(undefined)),
    ...measured,
    grid: grid as unknown as JobContent,
    calibrations: [...calibrations].map(([name, text]) => [name, textContent(text)]),
  };
  const key = jobKey(parts);
  return {
    ...{ request: own, published, opened, device, fallbackReason, solvesOn, engine, sources },
    ...{ plan, calibrations, measures, measured, origin, parts, key },
  };
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
