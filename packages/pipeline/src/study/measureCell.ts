import type { WindowScores } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import type { SharedRun } from '../compare/writeRow.ts';
import type { Stage } from '../events.ts';
import { once } from '../once.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { scoreStage } from '../scoreStage.ts';
import type { JobContent } from '../solve/jobKey.ts';
import type { PreparedTask } from '../tasks/prepareTask.ts';
import { scoreTask } from '../tasks/scoreTask.ts';
import type { StudyScores } from './studyResult.ts';

/** What a study measures on. */
export interface StudyMeasures {
  readonly texts: readonly PreparedText[];
  readonly tasks: readonly PreparedTask[];
}

/** A model of a study, and what keeps the parts of its scores that are done where it is large. */
export interface MeasuredModel {
  readonly model: OnnxModel;
  readonly content: () => Promise<JobContent>;
  readonly stage: Stage;
}

/** Scores a model on every text and task of a study. */
export async function measureCell(
  { model, content, stage }: MeasuredModel,
  { texts, tasks }: StudyMeasures,
  run: Pick<SharedRun, 'request' | 'device' | 'emit' | 'signal' | 'folder' | 'results'>,
): Promise<StudyScores> {
  const context = { ...run, stage, keep: { results: run.results, content: once(content) } };
  const scored: WindowScores[] = [];
  for (const text of texts) scored.push(await scoreStage(model, text, context));
  const answered: number[][] = [];
  for (const task of tasks) {
    const { isRight, isRightNormalized } = await scoreTask(model, task, context);
    answered.push([...(isRightNormalized ?? isRight)]);
  }
  return { texts: scored.map(({ nll }) => [...nll]), tasks: answered };
}
