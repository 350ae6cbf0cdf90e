export { compress } from './compress.ts';
export type {
  CompressRequest,
  CompressResult,
  PerplexityReport,
  SiteReport,
  StorageReport,
} from './compressRequest.ts';
export { type DataSetListing, type DataSetPart, listData, showData } from './dataSets.ts';
export { type Diagnosis, diagnose } from './diagnose.ts';
export { type EvaluateRequest, type EvaluateResult, evaluateModel } from './evaluateModel.ts';
export type { Emit, PipelineEvent, Stage } from './events.ts';
export { type ImportResult, importModel } from './importModel.ts';
export { type Inspection, inspectModel } from './inspectModel.ts';
export { type OpenedModel, openModel } from './open/openModel.ts';
export { type CompressPlan, type PlannedSite, planCompression } from './planCompression.ts';
export { parseRecipe, type Recipe, type RecipeInput, recipeJsonSchema, resolveRecipe } from './recipe.ts';
