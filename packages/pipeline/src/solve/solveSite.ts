import {
  type CompressedWeight,
  CompressionError,
  type InputStatistics,
  reconstruct,
  type SolveResult,
  storageBits,
} from '@quern/core';
import type { Matrix } from '@quern/linalg';
import { type RatePoint, relativeOutputError, relativeWeightError } from '@quern/solvers';
import { releaseMemory } from './releaseMemory.ts';
import { type SitePlan, solverOf } from './sitePlan.ts';

/** A weight and what its input looks like. */
export interface KnownWeight {
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Matrix<Float32Array>;
  /** Null for solvers that read the weight alone. */
  readonly statistics: InputStatistics | null;
}

/** A weight and what to do with it. */
export interface SolveMember extends KnownWeight {
  /** Members with the same one read the same input; all do where it is left out. */
  readonly inputName?: string;
  readonly options: SitePlan['options'];
}

/** Weights to compress together, mostly one, and how. A pure function of its content. */
export interface SolveTask {
  readonly members: readonly SolveMember[];
  readonly solver: string;
}

/** Runs one solver and measures what came out; one result a member. */
export async function solveSite({ members, solver }: SolveTask): Promise<SolveResult[]> {
  const compressed = await solveMembers(solver, members);
  releaseMemory(20 * members[0]!.weight.columns ** 2); // what a solver that factorises the Gram lets go
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

/** What a weight loses at falling rates, or those that are solved as one. */
export async function rateCurveOf({ solver: name, members }: SolveTask): Promise<RatePoint[]> {
  const solver = solverOf({ solver: name });
  const { weight, statistics, options } = members[0]!;
  if (solver.rateCurve === undefined) throw new CompressionError('INTERNAL', `${name} has no rate curve.`);
  if (solver.needs === 'stack') return solver.rateCurve(members, options);
  return solver.rateCurve(weight, statistics, options);
}

/** Runs one solver; one result a member. */
export async function solveMembers(name: string, members: readonly SolveMember[]): Promise<CompressedWeight[]> {
  const solver = solverOf({ solver: name });
  const { weight, statistics, options } = members[0]!;
  if (solver.needs === 'stack') return solver.solve(members, options);
  if (solver.needs === 'sharedInput') return solver.solve(members, statistics);
  if (solver.needs === 'group') {
    const weights = members.map(member => member.weight);
    const all = members.map(member => member.statistics);
    return solver.solve(
      weights,
      all.filter(one => one !== null),
      options,
    );
  }
  if (members.length === 1) return [await solver.solve(weight, statistics, options)];
  throw new CompressionError('INTERNAL', `${name} solves one weight at a time, not ${members.length}.`);
}
