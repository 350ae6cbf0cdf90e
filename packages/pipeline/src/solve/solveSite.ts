import { CompressionError, type InputStatistics, reconstruct, type SolveResult, storageBits } from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { relativeOutputError, relativeWeightError } from '@quern/solvers';
import { releaseMemory } from './releaseMemory.ts';
import { solverOf } from './sitePlan.ts';

/** A weight and what its input looks like. */
export interface SolveMember {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  /** Null for solvers that read the weight alone. */
  readonly statistics: InputStatistics | null;
}

/** Weights to compress together, mostly one, and how. A pure function of its content. */
export interface SolveTask {
  readonly members: readonly SolveMember[];
  readonly solver: string;
  readonly options: Readonly<Record<string, number | boolean | string>>;
}

/** Runs one solver and measures what came out; one result a member. */
export async function solveSite({ members, solver: name, options }: SolveTask): Promise<SolveResult[]> {
  const solver = solverOf({ solver: name });
  const weights = members.map(({ weight }) => weight);
  const statistics = members.map(member => member.statistics);
  if (solver.needs !== 'group' && members.length !== 1) {
    throw new CompressionError('INTERNAL', `${name} solves one weight at a time, not ${members.length}.`);
  }
  const compressed =
    solver.needs === 'group'
      ? await solver.solve(
          weights,
          statistics.filter(one => one !== null),
          options,
        )
      : [await solver.solve(weights[0]!, statistics[0]!, options)];
  releaseMemory(20 * weights[0]!.columns ** 2); // what a solver that factorises the Gram lets go
  const results: SolveResult[] = [];
  for (const [index, { weight, statistics }] of members.entries()) {
    const own = compressed[index]!;
    const dense = await reconstruct(own);
    results.push({
      compressed: own,
      relativeOutputError: statistics ? await relativeOutputError(weight, dense, statistics.inputGram) : null,
      relativeWeightError: relativeWeightError(weight, dense),
      storageBits: storageBits(own),
    });
  }
  return results;
}
