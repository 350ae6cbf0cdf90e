export type {
  CodebookWeight,
  CompressedWeight,
  CorrectedWeight,
  DenseWeight,
  Factor,
  LowRankWeight,
  QuantizedWeight,
  SparseGridWeight,
  SparseWeight,
} from './compressedWeight.ts';
export {
  CompressionError,
  type ErrorCode,
  type ErrorRecord,
  exitCodeOf,
  fromErrorRecord,
  toErrorRecord,
} from './compressionError.ts';
export { type ContainerLayout, containerLayout } from './containerLayout.ts';
export { containerOf } from './containerOf.ts';
export type { Convergence } from './convergence.ts';
export type { InputStatistics } from './inputStatistics.ts';
export type { LinearSite } from './linearSite.ts';
export { mergeStatistics } from './mergeStatistics.ts';
export { reconstruct } from './reconstruct.ts';
export type { SlicedQuantized } from './slicedQuantized.ts';
export type { SolveResult } from './solveJob.ts';
export { type SparseLevels, sparseLevels } from './sparseLevels.ts';
export {
  type CodebookShape,
  codebookStorageBits,
  codePlanes,
  maskedStorageBits,
  type QuantizedShape,
  quantizedStorageBits,
  sparseCodeBits,
  sparseMaskBits,
  storageBits,
} from './storageBits.ts';
export type { TokenWindow } from './tokenWindow.ts';
export { uniformNumbers } from './uniformNumbers.ts';
