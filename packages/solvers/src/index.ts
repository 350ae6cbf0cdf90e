export { allocate } from './allocation/allocate.ts';
export { allocateBits, type RatedSite } from './allocation/allocateBits.ts';
export { allocateByTruncationLoss } from './allocation/allocateByTruncationLoss.ts';
export { allocatePooled } from './allocation/allocatePooled.ts';
export { allocateUniform } from './allocation/allocateUniform.ts';
export type { AllocationRequest } from './allocation/allocationRequest.ts';
export { type CombinedChoice, combineChoices } from './allocation/combineChoices.ts';
export { lossAt } from './allocation/lossAt.ts';
export { type MeasuredLoss, predictLoss } from './allocation/predictLoss.ts';
export type { SiteChoice, SiteSpectrum } from './allocation/siteSpectrum.ts';
export { type Choice, type ChoiceTable, type Selection, tabulateChoices } from './allocation/tabulateChoices.ts';
export { type WhitenedSpectrum, whitenedSpectrum } from './allocation/whitenedSpectrum.ts';
export { aqlm } from './codebook/aqlm.ts';
export { type AqlmOptions, aqlmOptions } from './codebook/aqlmOptions.ts';
export { dense, denseOptions } from './dense.ts';
export { describeProblems } from './describeProblems.ts';
export { type RatePoint, rateCurve } from './entropyCoded/rateCurve.ts';
export { isEntropyCoded } from './isEntropyCoded.ts';
export { isSparse } from './isSparse.ts';
export { type AsvdOptions, asvd, asvdOptions } from './lowRank/asvd.ts';
export { type BasisSharingOptions, basisSharing, basisSharingOptions } from './lowRank/basisSharing.ts';
export type { GridSolver } from './lowRank/gridSolver.ts';
export { type LowRankOptions, lowRankOptions } from './lowRank/lowRankOptions.ts';
export { svdLlm } from './lowRank/svdLlm.ts';
export { svdLlmV2 } from './lowRank/svdLlmV2.ts';
export { truncatedSvd } from './lowRank/truncatedSvd.ts';
export { withCorrection } from './lowRank/withCorrection.ts';
export { parseOptions } from './parseOptions.ts';
export { gptq } from './quantization/gptq.ts';
export { type GptqOptions, gptqOptions } from './quantization/gptqOptions.ts';
export { hqq } from './quantization/hqq.ts';
export { type HqqOptions, hqqOptions } from './quantization/hqqOptions.ts';
export { type RowSource, roundRows } from './quantization/roundRows.ts';
export { roundToNearest } from './quantization/roundToNearest.ts';
export { type RoundToNearestOptions, roundToNearestOptions } from './quantization/roundToNearestOptions.ts';
export { relativeOutputError } from './relativeOutputError.ts';
export { relativeWeightError } from './relativeWeightError.ts';
export type {
  Allocation,
  GroupSolver,
  RankAllocation,
  SingleSolver,
  SiteShape,
  Solver,
  SolverOptions,
  StackedSite,
} from './solver.ts';
export { solvers } from './solvers.ts';
