import { type InputStatistics, reconstruct, type SolveResult, storageBits } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { relativeOutputError, relativeWeightError, solvers } from '@quern/solvers';
import { releaseMemory } from './releaseMemory.ts';

/** One weight to compress, and how. A pure function of its content. */
export interface SolveTask {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  /** Null for solvers that read the weight alone. */
  readonly statistics: InputStatistics | null;
  readonly solver: string;
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

/** Runs one solver on one weight and measures what came out. */
export async function solveSite(task: SolveTask): Promise<SolveResult> {
  const { weight, statistics } = task;
  const compressed = await solvers[task.solver]!.solve(weight, statistics, task.options);
  releaseMemory();
  const dense = reconstruct(compressed);
  return {
    compressed,
    relativeOutputError: statistics ? await relativeOutputError(weight, dense, statistics.inputGram) : null,
    relativeWeightError: relativeWeightError(weight, dense),
    storageBits: storageBits(compressed),
  };
}
