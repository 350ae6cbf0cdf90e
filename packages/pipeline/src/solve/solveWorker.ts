import { type ErrorRecord, type SolveResult, toErrorRecord } from '@quern/core';
import { type SolveTask, solveSite } from './solveSite.ts';

/** What a worker sends back: errors travel as records, since structured clone drops their class and fields. */
export type SolveAnswer = { readonly result: SolveResult } | { readonly error: ErrorRecord };

/** The function that every worker thread runs. */
export default async function solveInWorker(task: SolveTask): Promise<SolveAnswer> {
  try {
    return { result: await solveSite(task) };
  } catch (error) {
    return { error: toErrorRecord(error) };
  }
}
