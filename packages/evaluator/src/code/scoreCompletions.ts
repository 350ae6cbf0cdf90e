import { availableParallelism } from 'node:os';
import { CompressionError } from '@quern/core';
import type { CodeProblem } from './codeProblem.ts';
import { passAtK } from './passAtK.ts';
import { runSandboxed, type SandboxLimits, type SandboxOutcome } from './runSandboxed.ts';

export interface CompletionScores {
  /** Problems with at least one completion. */
  readonly problemCount: number;
  readonly sampleCount: number;
  /** Mean over problems by k; only the k of 1, 10, 100 that every problem has samples for. */
  readonly passAt: Readonly<Record<string, number>>;
  /** Of pass@1, over problems. */
  readonly standardError: number;
  /** Samples by how they ended. */
  readonly outcomes: Readonly<Record<SandboxOutcome['outcome'], number>>;
  readonly problems: readonly ProblemScore[];
}

export interface ProblemScore {
  readonly id: string;
  readonly passed: number;
  readonly samples: readonly SandboxOutcome[];
}

export interface CodeScoreOptions {
  readonly limits: SandboxLimits;
  /** Sandboxes at a time; one per core unless given. */
  readonly parallel?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

const KS = [1, 10, 100];

/**
 * Runs completions of problems in sandboxes and counts: unbiased pass@k as in `passAtK`, averaged over problems.
 *
 * `completions`: by id of the problem; problems without any are left out.
 * Errors: INVALID_OPTION when there is no completion, INTERRUPTED, those of `runSandboxed`.
 */
export async function scoreCompletions(
  problems: readonly CodeProblem[],
  completions: ReadonlyMap<string, readonly string[]>,
  options: CodeScoreOptions,
): Promise<CompletionScores> {
  const given = problems.filter(({ id }) => (completions.get(id)?.length ?? 0) > 0);
  if (given.length === 0)
    throw new CompressionError('INVALID_OPTION', 'There is no completion of any of the problems to score.');
  const jobs = given.flatMap(problem => completions.get(problem.id)!.map(text => ({ problem, text })));
  const outcomes = new Array<SandboxOutcome>(jobs.length);
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < jobs.length) {
      if (options.signal?.aborted) throw new CompressionError('INTERRUPTED', 'Interrupted.');
      const index = next++;
      const { problem, text } = jobs[index]!;
      outcomes[index] = await runSandboxed(problem.program(text), options.limits);
      options.onProgress?.(++done, jobs.length);
    }
  };
  const parallel = Math.min(jobs.length, options.parallel ?? availableParallelism());
  await Promise.all(Array.from({ length: parallel }, work));
  const scores = given.map(({ id }): ProblemScore => {
    const samples = outcomes.filter((_, index) => jobs[index]!.problem.id === id);
    return { id, samples, passed: samples.filter(({ outcome }) => outcome === 'passed').length };
  });
  return summarize(scores, outcomes);
}

function summarize(scores: readonly ProblemScore[], outcomes: readonly SandboxOutcome[]): CompletionScores {
  const fewest = Math.min(...scores.map(({ samples }) => samples.length));
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const passAt = Object.fromEntries(
    KS.filter(k => k <= fewest).map(k => [
      String(k),
      mean(scores.map(({ samples, passed }) => passAtK(samples.length, passed, k))),
    ]),
  );
  const rates = scores.map(({ samples, passed }) => passed / samples.length);
  const spread = rates.reduce((sum, rate) => sum + (rate - mean(rates)) ** 2, 0);
  const counts = { passed: 0, failed: 0, timeout: 0, memory: 0, output: 0 };
  for (const { outcome } of outcomes) counts[outcome]++;
  return {
    problemCount: scores.length,
    sampleCount: outcomes.length,
    passAt,
    standardError: scores.length > 1 ? Math.sqrt(spread / (scores.length - 1) / scores.length) : 0,
    outcomes: counts,
    problems: scores,
  };
}
