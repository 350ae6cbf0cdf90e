export type { BudgetFigures, BudgetReport, UniformRival } from './budget/budgetReport.ts';
export type { BudgetPlan } from './budget/planBudget.ts';
export type { Budget } from './budget/readBudget.ts';
export { type CompareRequest, type CompareResult, compare } from './compare/compare.ts';
export { type ComparisonPlan, planComparison } from './compare/planComparison.ts';
export { redrawReport } from './compare/redrawReport.ts';
export { compress } from './compress.ts';
export type {
  CompressRequest,
  CompressResult,
  PerplexityReport,
  SiteReport,
  StorageReport,
} from './compressRequest.ts';
export {
  type DataSetListing,
  type DataSetPart,
  listData,
  type PullRequest,
  type PullResult,
  pullData,
  showData,
} from './dataSets.ts';
export { type Diagnosis, diagnose } from './diagnose.ts';
export { type CodeRequest, type CodeResult, evaluateCode } from './evaluateCode.ts';
export { type EvaluateRequest, type EvaluateResult, evaluateModel } from './evaluateModel.ts';
export { redrawEvaluation } from './evaluation/redrawEvaluation.ts';
export type { Emit, PipelineEvent, Stage } from './events.ts';
export { type GenerateRequest, type GenerateResult, generateText, type StopReason } from './generateText.ts';
export { type ImportResult, importModel } from './importModel.ts';
export { type Inspection, inspectModel } from './inspectModel.ts';
export { type OpenedModel, openModel } from './open/openModel.ts';
export { redrawResult } from './output/redrawResult.ts';
export { parseGroupSize, parseMethod } from './parseMethod.ts';
export { type CompressPlan, planCompression } from './planCompression.ts';
export { parseRecipe, type Recipe, type RecipeInput, recipeJsonSchema, resolveRecipe } from './recipe.ts';
export type { Comparison, ComparisonRow } from './report/comparison.ts';
export type { PlannedFigure, PlannedSite } from './solve/planSizes.ts';
export { type CapturePlan, type CaptureResult, captureModel, planCapture } from './statistics/captureModel.ts';
export { planStudy, type StudyPreview } from './study/planStudy.ts';
export { type StudyResult, study } from './study/study.ts';
export { parseStudyRecipe, resolveGrid, type StudyGrid, type StudyGridInput } from './study/studyGrid.ts';
export type { StudyRequest } from './study/studyRequest.ts';
export type { Study } from './study/studyResult.ts';
export { evaluateTasks, type TaskResult, type TasksRequest, type TasksResult } from './tasks/evaluateTasks.ts';
export { type UnpackRequest, type UnpackResult, unpackModel } from './unpackModel.ts';
