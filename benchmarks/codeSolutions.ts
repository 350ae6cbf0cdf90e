/**
 * Do the solutions that come with a code benchmark pass in the sandbox, and does a wrong one fail?
 * `node benchmarks/codeSolutions.ts <humaneval_js|humaneval|mbpp> <problems.jsonl.gz>` prints the counts and what did not pass.
 */
import { readTextFile } from '@quern/calibration';
import { type CodeBenchmark, parseCodeProblems, scoreCompletions } from '@quern/evaluator';

const [benchmark, path] = process.argv.slice(2) as [CodeBenchmark, string];
const problems = parseCodeProblems(benchmark, (await readTextFile(path)).content, path);
const limits = { timeoutMs: 60_000, memoryBytes: 1e9 };
const wrong = benchmark === 'humaneval_js' ? '  return "wrong";\n}\n' : '    return "wrong"\n';
for (const [name, write] of [
  ['solutions', (index: number) => problems[index]!.canonical],
  ['wrong ones', () => wrong],
] as const) {
  const started = performance.now();
  const completions = new Map(problems.map(({ id }, index) => [id, [write(index)]]));
  const scores = await scoreCompletions(problems, completions, { limits });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`${benchmark}, ${name}: ${scores.outcomes.passed} of ${scores.sampleCount} pass, ${seconds} s`);
  if (name === 'solutions')
    for (const { id, passed, samples } of scores.problems)
      if (passed === 0) console.log(`  ${id}: ${samples[0]!.outcome}, ${samples[0]!.detail}`);
}
