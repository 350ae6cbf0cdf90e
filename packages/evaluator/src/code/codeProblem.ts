/** What a sandbox runs. */
export interface CodeProgram {
  readonly language: 'javascript' | 'python';
  /** The code under test, complete in itself. */
  readonly candidate: string;
  /** Runs after it; throws when the candidate is wrong. */
  readonly test: string;
  /** A last statement, for tests that only define a function. */
  readonly call: string;
}

/** One problem of a code benchmark. */
export interface CodeProblem {
  readonly id: string;
  /** What a model continues. */
  readonly prompt: string;
  /** Texts that end a completion, which is cut before them. */
  readonly stops: readonly string[];
  /** Follows a completion that a stop text ended. */
  readonly closing: string;
  /** The solution that comes with the problem, as a completion. */
  readonly canonical: string;
  /** False for the part of a benchmark that is not for scoring. */
  readonly isScored: boolean;
  program(completion: string): CodeProgram;
}

export type CodeBenchmark = 'humaneval' | 'humaneval_js' | 'mbpp';
