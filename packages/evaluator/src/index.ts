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
export { benjaminiHochberg } from './statistics/benjaminiHochberg.ts';
export { calibrationError } from './statistics/calibrationError.ts';
export { addPrediction, calibrationGaps } from './statistics/calibrationGaps.ts';
export { clusteredMean, type Estimate } from './statistics/clusteredMean.ts';
export { mcnemarTest } from './statistics/mcnemarTest.ts';
export { type BootstrapOptions, type BootstrapResult, pairedBootstrap } from './statistics/pairedBootstrap.ts';
export { percentile } from './statistics/percentile.ts';
export { type BaselineEvaluation, type Evaluation, summarizeScores } from './summarizeScores.ts';
export type { BaselineScores, WindowScores } from './windowScores.ts';
