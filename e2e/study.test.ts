import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashResult, listJobs } from './resultFolder.ts';
import { demo, type Run, runQuern } from './runQuern.ts';
import { startQuern, waitUntil } from './startQuern.ts';

let folder = '';
let out = '';
let made: Run;
let grid: readonly string[] = [];
const CPU = ['--device', 'cpu'];
const FEW = [
  '--exclude',
  'model.layers.{1,2,3,4,5}.*',
  '--head-bits',
  '16',
  '--windows',
  '4',
  '--window-length',
  '32',
  ...CPU,
];
const study = (to: string, ...more: readonly string[]) => ['study', demo, '--out', to, ...grid, ...FEW, ...more];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-study-'));
  const write = async (name: string, words: readonly string[], seed: number) => {
    const text = Array.from({ length: 200 }, (_, i) => words[(i * i * seed + i) % words.length]).join(' ');
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const one = await write('one.txt', ['once', 'upon', 'a', 'time', 'tree', 'house'], 3);
  const two = await write('two.txt', ['const', 'return', 'value', '=', 'function', '(', ')'], 2);
  const tasks = join(folder, 'copa.jsonl');
  const query = 'Once upon a time, there was a little';
  await writeFile(tasks, JSON.stringify({ query, choices: ['girl.', 'zqx xqz.'], gold: 0 }));
  const texts = `${one},${two}`;
  grid = [
    ...['--methods', 'rtn,gptq', '--bits', '2', '--calibration', texts, '--data', texts],
    ...['--tasks', 'copa', '--task-data', tasks],
  ];
  out = join(folder, 'first');
  made = await runQuern(...study(out));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('quern study', () => {
  it('makes the grid, scores it and tests it', async () => {
    expect(made).toMatchObject({ code: 0 });
    expect((await readdir(out)).sort()).toEqual(['recipe.yaml', 'study.json', 'study.md', 'study.svg']);
    expect(made.stdout).toBe(await readFile(join(out, 'study.md'), 'utf8'));
    const { cells, grid: given, original, tests } = JSON.parse(await readFile(join(out, 'study.json'), 'utf8'));
    const named = cells.map((cell: Record<string, unknown>) => [cell.method, cell.bits, cell.calibration]);
    expect(named).toEqual([['rtn', 2, null], ...given.calibration.map((data: string) => ['gptq', 2, data])]);
    expect([tests.texts.length, tests.tasks.length, tests.pairs.length]).toEqual([6, 3, 2]);
    // The first cell's difference, from the losses that stand there.
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const [lost, before] = [sum(cells[0].scores.texts[0]), sum(original.texts[0])];
    expect(tests.texts[0].difference).toBeCloseTo((lost - before) / (31 * original.texts[0].length), 10);
  });

  it('gives the same bytes again from its recipe', async () => {
    const again = join(folder, 'again');
    const run = await runQuern('study', demo, '--out', again, '--recipe', join(out, 'recipe.yaml'), ...CPU);
    expect(run).toMatchObject({ code: 0 });
    expect(hashResult(again)).toEqual(hashResult(out));
    expect((await runQuern(...study(out, '--resume'))).stderr).toMatch(/nothing to resume/);
  });

  it('goes on after kill -9 and comes to the same bytes', async () => {
    const killed = join(folder, 'killed');
    const first = startQuern(...study(killed));
    expect(await waitUntil(first, () => listJobs(killed).size >= 10)).toBe(true);
    first.signalGroup('SIGKILL');
    await first.ended;
    const kept = listJobs(killed);
    expect(await readdir(killed)).toEqual(['.quern-run']);
    const second = startQuern(...study(killed, '--resume'));
    await waitUntil(second, () => listJobs(killed).size > kept.size);
    for (const [job, time] of kept) expect(listJobs(killed).get(job) ?? time).toBe(time);
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(hashResult(killed)).toEqual(hashResult(out));
  });

  it('is planned without work: --dry-run', async () => {
    const target = join(folder, 'planned');
    const run = await runQuern(...study(target, '--dry-run', '--method', 'rtn'));
    expect(run).toMatchObject({ code: 0, stderr: expect.stringMatching(/--method: not used/) });
    expect(
      run.stdout
        .split('\n')
        .slice(2, 5)
        .map(line => line.split(/ +/).slice(0, 2)),
    ).toEqual([
      ['rtn', '2'],
      ['gptq', '2'],
      ['gptq', '2'],
    ]);
    expect(await readdir(target).catch(() => 'absent')).toBe('absent');
  });

  it.each([
    [['--methods', 'gptq:4'], /widths of a study are those of --bits/],
    [['--calibration', 'novels'], /"novels" is neither a text set nor a file/],
    [['--tasks', 'hellaswag'], /no such task/],
    [['--bits', '0'], /above 0/],
  ])('refuses %j before any work', async (flags, message) => {
    const target = join(folder, 'refused');
    const run = await runQuern(...study(target, ...flags));
    expect(run.stderr).toMatch(message);
    expect(run.code).toBe(2);
    expect(await readdir(target).catch(() => 'absent')).toBe('absent');
  });
});
