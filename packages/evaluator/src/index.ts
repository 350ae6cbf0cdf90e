export { addLosses, tokensBefore } from './addLosses.ts';
export { batchLimit } from './batchLimit.ts';
export { batchWindows } from './batchWindows.ts';
export { checkWindows } from './checkWindows.ts';
export type { CodeBenchmark, CodeProblem } from './code/codeProblem.ts';
export { parseCodeProblems } from './code/parseCodeProblems.ts';
export {
  type CodeScoreOptions,
  type CompletionScores,
  type ProblemScore,
  scoreCompletions,
} from './code/scoreCompletions.ts';
export { compareLosses, type LossDifference } from './compareLosses.ts';
export type { BaselineEvaluation, PairedTest, TokenFlips } from './compareScores.ts';
export { emptyScores } from './emptyScores.ts';
export { type ExplainedToken, explainLosses, explainWindows } from './explainWindows.ts';
export { joinScores } from './joinScores.ts';
export { type KeptLogits, keepLogits } from './keepLogits.ts';
export { LOSS } from './lossNodes.ts';
export type { ModelFigures, TextSizes } from './modelFigures.ts';
export { checkVocabularies } from './openComparer.ts';
export { type Divergence, openDivergence } from './openDivergence.ts';
export { type TokenLosses, targetsOf, withoutLast } from './openScorer.ts';
export { type ScoreOptions, scoreWindows } from './scoreWindows.ts';
export { type RunningLosses, runningLosses, type SliceValues } from './slices/runningLosses.ts';
export { FIVE_COUNT, SLICE, sliceComparison, withSliceLoss } from './slices/sliceGraph.ts';
export { benjaminiHochberg } from './statistics/benjaminiHochberg.ts';
export { calibrationError } from './statistics/calibrationError.ts';
export { clusteredMean, type Estimate } from './statistics/clusteredMean.ts';
export { mcnemarTest } from './statistics/mcnemarTest.ts';
export { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from './statistics/pairedBootstrap.ts';
export { type Evaluation, summarizeScores } from './summarizeScores.ts';
export { addContinuation, type ContinuationScores, emptyContinuations } from './tasks/addContinuation.ts';
export { answerItems, type TaskAnswers } from './tasks/answerItems.ts';
export { compareAnswers, type Flips, type TaskComparison } from './tasks/compareAnswers.ts';
export { encodeRequest, type RequestEncoding } from './tasks/encodeRequest.ts';
export { listTasks, loadTaskDefinition } from './tasks/loadTaskDefinition.ts';
export { type PackedBranches, packBranches } from './tasks/packBranches.ts';
export { parseTask } from './tasks/parseTask.ts';
export { scoreContinuations } from './tasks/scoreContinuations.ts';
export { summarizeAnswers, type TaskScore } from './tasks/summarizeAnswers.ts';
export type { TaskDefinition } from './tasks/taskDefinition.ts';
export type { TaskItem } from './tasks/taskItem.ts';
export { BRANCHES, withBranches } from './tasks/withBranches.ts';
export type { WindowPart } from './wholeBatches.ts';
export type { BaselineScores, ModelScores, WindowScores } from './windowScores.ts';
export { withLoss } from './withLoss.ts';
