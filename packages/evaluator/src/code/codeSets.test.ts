import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CodeBenchmark, CodeProblem } from './codeProblem.ts';
import { parseCodeProblems } from './parseCodeProblems.ts';
import { scoreCompletions } from './scoreCompletions.ts';

const FOLDER = join(import.meta.dirname, '../../../../../shared/data/code');
const limits = { timeoutMs: 60_000, memoryBytes: 1e9 };

function read(benchmark: CodeBenchmark, file: string): CodeProblem[] {
  const path = join(FOLDER, file);
  return parseCodeProblems(benchmark, gunzipSync(readFileSync(path)).toString(), path);
}

const score = (problems: readonly CodeProblem[], write: (problem: CodeProblem) => string) =>
  scoreCompletions(problems, new Map(problems.map(problem => [problem.id, [write(problem)]])), { limits });

const failures = (scores: Awaited<ReturnType<typeof score>>) =>
  scores.problems.filter(({ passed }) => passed === 0).map(({ id, samples }) => `${id} ${samples[0]!.detail}`);

/** The problems are not part of the repository: without them these tests are skipped. */
describe.skipIf(!existsSync(FOLDER))('the solutions that come with', () => {
  it('HumanEval in JavaScript pass, wrong ones do not', { timeout: 600_000 }, async () => {
    const problems = read('humaneval_js', 'humaneval_js.jsonl.gz');
    expect(problems.length).toBe(164);
    expect(failures(await score(problems, ({ canonical }) => canonical))).toEqual([]);
    const wrong = await score(problems, () => '  return "wrong";\n}\n');
    expect(wrong.passAt['1']).toBe(0);
  });

  it('HumanEval and MBPP in Python pass, wrong ones do not', { timeout: 600_000 }, async () => {
    const sample = (problems: readonly CodeProblem[]) => problems.filter((_, index) => index % 41 === 7).slice(0, 4);
    const human = sample(read('humaneval', 'HumanEval.jsonl.gz'));
    const basic = sample(read('mbpp', 'mbpp.jsonl.gz'));
    expect(failures(await score([...human, ...basic], ({ canonical }) => canonical))).toEqual([]);
    expect((await score(human, () => '    return "wrong"\n')).outcomes.passed).toBe(0);
    expect((await score(basic, () => 'pass\n')).outcomes.passed).toBe(0);
  });
});
