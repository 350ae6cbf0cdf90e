import { basename } from 'node:path';
import { versions } from '../versions.ts';
import type { StudyInputs } from './openStudy.ts';
import type { Study, StudyCell, StudyScores } from './studyResult.ts';
import { testStudy } from './testStudy.ts';

/** Everything that a study found, with the tests and all that is needed to make it again. */
export function describeStudy(inputs: StudyInputs, original: StudyScores, cells: readonly StudyCell[]): Study {
  const { request, sources, calibrations, measures, plan, key } = inputs;
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
    unavailable: plan.unavailable,
    tests: testStudy({ texts, tasks, original, cells }, recipe.seed),
    key,
  };
}
