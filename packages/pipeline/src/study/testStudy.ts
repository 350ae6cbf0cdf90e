import { benjaminiHochberg, clusteredMean, mcnemarTest, pairedBootstrap } from '@quern/evaluator';
import type { Study, StudyCell } from './studyResult.ts';

/** A cell less the original on one text, nats a token, or on one task, share of right answers. */
export interface CellTest {
  /** Index of the cell. */
  readonly cell: number;
  /** Index of the text or task. */
  readonly measure: number;
  readonly difference: number;
  readonly standardError: number;
  readonly pValue: number;
  /** Adjusted for all tests of its list. */
  readonly qValue: number;
}

/** Two calibrations of one method at one width on one text: the first less the second, nats a token. */
export interface PairTest extends CellTest {
  /** Index of the second cell. */
  readonly other: number;
}

export interface StudyTests {
  readonly seed: number;
  /** Paired bootstrap over windows. */
  readonly texts: readonly CellTest[];
  /** Exact McNemar test over items. */
  readonly tasks: readonly CellTest[];
  /** Paired bootstrap over windows. */
  readonly pairs: readonly PairTest[];
}

type Measured = Pick<Study, 'texts' | 'tasks' | 'original' | 'cells'>;
type Untested<Test> = Omit<Test, 'qValue'>;

/**
 * Paired tests of a study. p-values are adjusted by Benjamini and Hochberg over each of three lists: all cells against the original on all
 * texts, the same on all tasks, and all pairs of calibrations that share method, width and text.
 *
 * Cost: a bootstrap of 10,000 resamples for each test on texts.
 */
export function testStudy({ texts, tasks, original, cells }: Measured, seed: number): StudyTests {
  const made = cells.flatMap((cell, index) => (cell.scores ? [{ cell, index, scores: cell.scores }] : []));
  const onTexts = made.flatMap(({ index, scores }) =>
    texts.map(({ tokenCounts }, measure) => ({
      cell: index,
      measure,
      ...compareLosses(scores.texts[measure]!, original.texts[measure]!, tokenCounts, seed),
    })),
  );
  const onTasks = made.flatMap(({ index, scores }) =>
    tasks.map((_, measure) => ({
      cell: index,
      measure,
      ...compareAnswers(scores.tasks[measure]!, original.tasks[measure]!),
    })),
  );
  const pairs = made.flatMap(({ cell, index, scores }, at) =>
    made
      .slice(at + 1)
      .filter(second => sharesAllButCalibration(cell, second.cell))
      .flatMap(second =>
        texts.map(({ tokenCounts }, measure) => ({
          cell: index,
          other: second.index,
          measure,
          ...compareLosses(scores.texts[measure]!, second.scores.texts[measure]!, tokenCounts, seed),
        })),
      ),
  );
  return { seed, texts: adjust<CellTest>(onTexts), tasks: adjust<CellTest>(onTasks), pairs: adjust<PairTest>(pairs) };
}

function sharesAllButCalibration(first: StudyCell, second: StudyCell): boolean {
  return first.method === second.method && first.bits === second.bits;
}

function compareLosses(losses: readonly number[], others: readonly number[], counts: readonly number[], seed: number) {
  const differences = losses.map((loss, window) => loss - others[window]!);
  const { value, standardError } = clusteredMean(differences, counts);
  return { difference: value, standardError, pValue: pairedBootstrap(differences, counts, { seed }).pValue };
}

function compareAnswers(isRight: readonly number[], wasRight: readonly number[]) {
  const differences = isRight.map((right, item) => right - wasRight[item]!);
  const { value, standardError } = clusteredMean(differences, new Array(differences.length).fill(1));
  const count = (sign: number): number => differences.filter(difference => difference === sign).length;
  return { difference: value, standardError, pValue: mcnemarTest(count(-1), count(1)) };
}

function adjust<Test extends CellTest>(tests: readonly Untested<Test>[]): Test[] {
  const qValues = benjaminiHochberg(tests.map(({ pValue }) => pValue));
  return tests.map((test, index) => ({ ...test, qValue: qValues[index]! }) as unknown as Test);
}
