import { transpose, type WordSearch } from '@quern/linalg';
import type { CodebookProblem, Iterate } from './codebookProblem.ts';
import { normalizedRows } from './normalizedRows.ts';
import { panelsOf } from './panelsOf.ts';
import type { Recursion } from './recursionOf.ts';
import { searchGroups } from './searchGroups.ts';

/**
 * Codes from nothing: group after group, each counting on later groups to make up for its error, as GPTQ does with single inputs.
 * Writes `iterate.codes`. Cost: outFeatures inFeatures^2 / 2 multiply-adds, and the search.
 */
export async function assignCodes(
  problem: CodebookProblem,
  recursion: Recursion,
  iterate: Iterate,
  search: WordSearch,
): Promise<void> {
  search.setWords(iterate.words);
  for (const { start, end } of panelsOf(iterate.scales.length)) {
    const rows = normalizedRows(problem, iterate.scales, start, end);
    await searchGroups(problem, { search, columns: transpose(rows), recursion });
    const perRow = problem.groupCount * problem.format.codebookCount;
    iterate.codes.set(search.codes.subarray(0, (end - start) * perRow), start * perRow);
  }
}
