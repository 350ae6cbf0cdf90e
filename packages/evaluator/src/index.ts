export type { CodeBenchmark, CodeProblem } from './code/codeProblem.ts';
export { parseCodeProblems } from './code/parseCodeProblems.ts';
export {
  type CodeScoreOptions,
  type CompletionScores,
  type ProblemScore,
  scoreCompletions,
} from './code/scoreCompletions.ts';
export { type Divergence, openDivergence } from './openDivergence.ts';
export { type ScoreOptions, scoreWindows } from './scoreWindows.ts';
export { type BaselineEvaluation, type Evaluation, summarizeScores } from './summarizeScores.ts';
export type { BaselineScores, WindowScores } from './windowScores.ts';
