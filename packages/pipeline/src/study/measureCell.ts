import type { WindowScores } from '@quern/evaluator';
import type { OnnxModel } from '@quern/onnx';
import type { SharedRun } from '../compare/writeRow.ts';
import type { Stage } from '../events.ts';
import type { PreparedText } from '../open/prepareText.ts';
import { scoreStage } from '../scoreStage.ts';
import type { PreparedTask } from '../tasks/prepareTask.ts';
import { scoreTask } from '../tasks/scoreTask.ts';
import type { StudyScores } from './studyResult.ts';

/** What a study measures on. */
export interface StudyMeasures {
  readonly texts: readonly PreparedText[];
  readonly tasks: readonly PreparedTask[];
}

/** Scores a model on every text and task of a study. */
export async function measureCell(
  model: OnnxModel,
  { texts, tasks }: StudyMeasures,
  run: Pick<SharedRun, 'request' | 'device' | 'emit' | 'signal'>,
  stage: Stage,
): Promise<StudyScores> {
  const scored: WindowScores[] = [];
  for (const text of texts) scored.push(await scoreStage(model, text, { ...run, stage }));
  const answered: number[][] = [];
  for (const task of tasks) {
    const { isRight, isRightNormalized } = await scoreTask(model, task, {
      ...run,
      ...run.request,
      device: run.device,
      stage,
    });
    answered.push([...(isRightNormalized ?? isRight)]);
  }
  return { texts: scored.map(({ nll }) => [...nll]), tasks: answered };
}
