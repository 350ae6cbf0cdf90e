import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
let problems = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-code-'));
  problems = join(folder, 'problems.jsonl');
  const rows = ['double', 'triple'].map((name, index) => ({
    task_id: name,
    prompt: `const ${name} = value => {\n`,
    canonical_solution: `  return ${index + 2} * value;\n}\n`,
    test: `console.assert(${name}(7) === ${7 * (index + 2)});`,
  }));
  await writeFile(problems, rows.map(row => JSON.stringify(row)).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const code = (...flags: readonly string[]) =>
  runQuern('evaluate', '--code', 'humaneval_js', '--code-data', problems, ...flags);

describe('quern evaluate --code', () => {
  it('scores given completions', async () => {
    const file = join(folder, 'completions.jsonl');
    const texts = [
      ['double', '  return value + value;\n}'],
      ['double', '  return value;\n}'],
      ['triple', '  return 3 * value;\n}'],
      ['triple', '  return value * 4 - value;\n}'],
    ];
    await writeFile(file, texts.map(([task_id, completion]) => JSON.stringify({ task_id, completion })).join('\n'));
    const result = JSON.parse((await code('--completions', file, '--json')).stdout);
    expect(result).toMatchObject({ passAt: { 1: 0.75 }, outcomes: { passed: 3, failed: 1 }, sampling: null });
  });

  it('writes completions with a model and scores those', async () => {
    const run = await runQuern(
      'evaluate',
      demo,
      '--code',
      'humaneval_js',
      '--code-data',
      problems,
      '--samples',
      '2',
      '--max-new-tokens',
      '12',
      '--device',
      'cpu',
      '--json',
    );
    const result = JSON.parse(run.stdout);
    // The model knows stories only.
    expect(result).toMatchObject({ problemCount: 2, sampleCount: 4, passAt: { 1: 0 }, sampling: { temperature: 0.2 } });
  });

  it.each([
    ['a model and completions', [demo, '--completions', 'x'], /score one of them/],
    ['neither', [], /needs a model, or --completions/],
    ['the same sample twice', [demo, '--samples', '2', '--temperature', '0'], /would be 2 times the same text/],
    ['completions of other tasks', ['--completions', 'PROBLEMS'], /has no texts in "task_id" and "completion"/],
  ])('refuses %s', async (_, flags, message) => {
    const run = await code(...flags.map(flag => (flag === 'PROBLEMS' ? problems : flag)));
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(2);
  });
});
