import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, runQuern } from './runQuern.ts';

let folder = '';
const write = (path: string, rows: readonly unknown[]) =>
  writeFile(join(folder, path), rows.map(row => JSON.stringify(row)).join('\n'));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-tasks-'));
  await mkdir(join(folder, 'bench'));
  const query = 'Once upon a time, there was a little';
  await write('bench/copa.jsonl', [
    { query, choices: ['girl named Lily.', 'zqx xqz qqz.'], gold: 0 },
    { query, choices: ['qqq vvv kkk.', 'boy who loved to play.'], gold: 1 },
    { query, choices: ['boy who loved to play.', 'zqx xqz qqz.'], gold: 1 },
  ]);
  await write('bench/winogrande.jsonl', [
    { context_options: ['Once upon a time, there', 'qqz vvk zzx qqz'], continuation: 'was a little girl.', gold: 0 },
  ]);
  await write('lambada_openai_test.jsonl', [{ context: 'Once upon a', continuation: 'time' }]);
  await write('long.jsonl', [{ query: 'Q', choices: ['word '.repeat(400), 'a'], gold: 1 }]);
  await writeFile(
    join(folder, 'mine.json'),
    JSON.stringify({ id: 'mine', title: 'Mine', reader: 'choices', file: 'copa', suffix: ' girl.' }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const evaluate = (...flags: readonly string[]) => runQuern('evaluate', demo, '--device', 'cpu', ...flags);

describe('quern evaluate --tasks', () => {
  it('scores choices, contexts and last words, and finds no flip against itself', async () => {
    const flags = ['--tasks', 'copa,winogrande,lambada_openai', '--task-data', folder, '--baseline', demo];
    const run = await evaluate(...flags, '--json');
    const result = JSON.parse(run.stdout);
    const none = { lost: 0, gained: 0, pValue: 1 };
    expect(result.tasks).toMatchObject([
      {
        task: 'copa',
        itemCount: 3,
        accuracy: { value: 2 / 3 },
        normalizedAccuracy: { value: 2 / 3 },
        chance: 0.5,
        perplexity: null,
        baseline: { accuracy: { value: 2 / 3 }, flips: { accuracy: none, normalizedAccuracy: none } },
      },
      { task: 'winogrande', itemCount: 1, accuracy: { value: 1 }, normalizedAccuracy: null },
      { task: 'lambada_openai', accuracy: { value: 1 }, chance: null, perplexity: { standardError: 0 } },
    ]);
    expect(result.tasks[2].perplexity.value).toBeLessThan(2);
    const shown = await evaluate('--tasks', 'copa', '--task-data', join(folder, 'bench/copa.jsonl'), '--limit', '2');
    expect(shown.stdout).toMatch(/copa +2 +100\.00 \+- 0\.00 +100\.00 \+- 0\.00 +50\.0/);
  });

  it('takes a definition of its own, and leaves out what does not fit the context', async () => {
    const own = await evaluate('--tasks', join(folder, 'mine.json'), '--task-data', folder, '--json');
    expect(JSON.parse(own.stdout).tasks).toMatchObject([{ task: 'mine', itemCount: 3 }]);
    const long = await evaluate('--tasks', 'copa', '--task-data', join(folder, 'long.jsonl'));
    expect(long).toMatchObject({ code: 2, stderr: expect.stringMatching(/none of 1 items fits the model's context/) });
  });

  it.each([
    ['an unknown task', ['--tasks', 'hellaswag', '--task-data', '.'], /no such task. Known: arc_challenge/],
    ['tasks without data', ['--tasks', 'copa'], /needs --task-data <folder>/],
    ['data without tasks', ['--task-data', '.'], /needs --tasks <list>/],
    ['a folder without the file', ['--tasks', 'piqa', '--task-data', 'e2e'], /holds no piqa.jsonl or piqa.jsonl.gz/],
    ['two tasks of one file', ['--tasks', 'copa,piqa', '--task-data', 'package.json'], /one file for 2 tasks/],
    ['a text as well', ['--tasks', 'copa', '--task-data', '.', '--data', 'code'], /--data: not for --tasks/],
    ['code tasks as well', ['--tasks', 'copa', '--task-data', '.', '--code', 'mbpp'], /two evaluations/],
  ])('refuses %s', async (_, flags, message) => {
    const run = await evaluate(...flags);
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(2);
  });
});
