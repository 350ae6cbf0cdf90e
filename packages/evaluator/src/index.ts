export { type Divergence, openDivergence } from './openDivergence.ts';
export { type ScoreOptions, scoreWindows } from './scoreWindows.ts';
export { type BaselineEvaluation, type Evaluation, summarizeScores } from './summarizeScores.ts';
export type { BaselineScores, WindowScores } from './windowScores.ts';
