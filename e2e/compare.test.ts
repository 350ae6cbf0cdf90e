import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listJobs } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';
import { startQuern, waitUntil } from './startQuern.ts';

interface Row {
  readonly method: string;
  readonly ratio: number | null;
  readonly options: Record<string, unknown>;
  readonly storedBytes: number;
  readonly bitsPerWeight: number;
  readonly relativeOutputError: number;
  readonly perplexity: number;
  readonly standardError: number;
  readonly klDivergence: number;
  readonly solveMs: number;
  readonly sites: readonly { readonly relativeOutputError: number; readonly elementCount: number }[];
}

let folder = '';
let flags: readonly string[] = [];
let rows: readonly Row[] = [];
let out = '';
const compare = (to: string, ...more: readonly string[]) => ['compare', demo, '--out', to, ...flags, ...more];
const METHODS = ['--methods', 'rtn:4:64,svd-llm-v2,basis-sharing:8,rtn:3+lowrank', '--ratios', '0.5'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-compare-'));
  const text = join(folder, 'text.txt');
  const words = Array.from({ length: 400 }, (_, i) => ['once', 'upon', 'a', 'time', 'tree'][(i * i) % 5]);
  await writeFile(text, words.join(' '));
  const few = ['--exclude', 'model.layers.{1,2,4,5}.*', '--windows', '16', '--window-length', '32'];
  flags = [...few, '--evaluate', text, '--device', 'cpu', '--json'];
  out = join(folder, 'undisturbed');
  const run = await runQuern(...compare(out, ...METHODS));
  expect(run).toMatchObject({ code: 0 });
  rows = (JSON.parse(run.stdout) as { rows: Row[] }).rows;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a comparison', () => {
  it('has every method, those with a ratio at each, in the order of their stored bytes', async () => {
    const named = rows.map(({ method, ratio }) => `${method} ${ratio ?? '-'}`);
    expect([...named].sort()).toEqual(
      ['rtn:4:64 -', 'rtn:3+lowrank -', ...['svd-llm-v2', 'basis-sharing:8'].map(method => `${method} 0.5`)].sort(),
    );
    const bytes = rows.map(row => row.storedBytes);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect((await readdir(out)).sort()).toEqual(['report.html', 'results.json']);
  });

  it('counts stored bits over all solved weights, errors as a plain mean over sites', () => {
    for (const { storedBytes, bitsPerWeight, relativeOutputError, sites, ratio } of rows) {
      expect(sites).toHaveLength(14);
      const elements = sites.reduce((sum, site) => sum + site.elementCount, 0);
      expect(bitsPerWeight).toBeCloseTo((8 * storedBytes) / elements, 10);
      if (ratio !== null) expect(bitsPerWeight).toBeLessThanOrEqual(16 * (1 - ratio));
      const mean = sites.reduce((sum, site) => sum + site.relativeOutputError, 0) / sites.length;
      expect(relativeOutputError).toBeCloseTo(mean, 10);
    }
    expect(rows.find(row => row.method === 'rtn:4:64')!.bitsPerWeight).toBe(4.25);
  });

  it('measures what compress would write', async () => {
    const recipe = join(folder, 'recipe.yaml');
    await writeFile(recipe, 'method: svd-llm-v2\nratio: 0.5\nsequential: false\n');
    const [compressed] = [join(folder, 'compressed')];
    const run = await runQuern('compress', demo, '--out', compressed, '--recipe', recipe, ...flags);
    expect(run).toMatchObject({ code: 0 });
    const result = JSON.parse(run.stdout) as {
      storage: { storedBytes: number };
      perplexity: { after: number; standardError: number };
    };
    const row = rows.find(({ method, ratio }) => method === 'svd-llm-v2' && ratio === 0.5)!;
    expect(result.storage.storedBytes).toBe(row.storedBytes);
    expect(result.perplexity.after).toBe(row.perplexity);
    expect(result.perplexity.standardError).toBe(row.standardError);
    // Factors are float16 in float32 arithmetic, embedding and head have codes.
    const evaluated = await runQuern('evaluate', compressed, '--data', flags[7]!, '--window-length', '32', '--json');
    expect((JSON.parse(evaluated.stdout) as { perplexity: number }).perplexity).toBe(row.perplexity);
  });

  it('draws its report again from its results', async () => {
    const report = join(out, 'report.html');
    const before = await readFile(report, 'utf8');
    await rm(report);
    const run = await runQuern('report', out);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('basis-sharing:8');
    expect(await readFile(report, 'utf8')).toBe(before);
  });

  it('goes on after kill -9 and comes to the same figures', async () => {
    const killed = join(folder, 'killed');
    const first = startQuern(...compare(killed, ...METHODS));
    expect(await waitUntil(first, () => listJobs(killed).size >= 30)).toBe(true);
    first.signalGroup('SIGKILL');
    await first.ended;
    expect(await readdir(killed)).toEqual(['.quern-run']);
    const kept = listJobs(killed);
    expect((await runQuern(...compare(killed, ...METHODS))).stdout).toMatch(/unfinished run.*--resume/);
    const second = startQuern(...compare(killed, ...METHODS, '--resume'));
    // What was finished is not made again.
    await waitUntil(second, () => listJobs(killed).size > kept.size);
    for (const [job, time] of kept) expect(listJobs(killed).get(job) ?? time).toBe(time);
    expect(await second.ended).toMatchObject({ code: 0 });
    const timeless = (path: string) => readFile(path, 'utf8').then(text => text.replaceAll(/"solveMs": \d+/g, ''));
    expect(await timeless(join(killed, 'results.json'))).toBe(await timeless(join(out, 'results.json')));
  });
});

it('is planned without work: --dry-run says what rows would store', async () => {
  const target = join(folder, 'planned');
  const run = await runQuern(...compare(target, ...METHODS, '--dry-run', '--bits', '3'));
  expect(run).toMatchObject({ code: 0 });
  expect(run.stderr).toMatch(/warning: --bits: not used/);
  const planned = (JSON.parse(run.stdout) as { rows: Row[] }).rows;
  expect(planned).toHaveLength(rows.length);
  for (const { method, ratio, storedBytes } of planned) {
    const made = rows.find(row => row.method === method && row.ratio === ratio)!;
    // What is spread over the sites only stays below the same budget.
    if (method === 'svd-llm-v2') expect(storedBytes).toBeLessThanOrEqual(made.storedBytes);
    else expect(storedBytes).toBe(made.storedBytes);
  }
  expect(await readdir(target).catch(() => 'absent')).toBe('absent');
});

describe('what cannot be', () => {
  it.each([
    [[], /--methods names no method/],
    [['--methods', 'rtn,none'], /--methods none: it solves nothing/],
    [['--methods', 'rtn,svd-llm-v2', '--ratios', '0.5,0.999'], /ratio \(0\.999\).*at most/],
    [['--methods', 'magic'], /Unknown method "magic": known are none, .*svd-llm/],
    [['--methods', 'rtn:9'], /bits \(9\): must be at least 1 and at most 8/],
    [['--methods', 'svd-llm', '--ratios', '1.5'], /from 0 to below 1/],
    [['--methods', 'rtn:4:64:2'], /expected name, name:bits or name:bits:group/],
    [['--methods', 'svd', '--ratios', '0.999'], /ratio \(0\.999\).*at most 0\.\d+ can be removed/],
  ])('is refused before any work: %j', async (given, message) => {
    const target = join(folder, 'refused');
    const run = await runQuern(...compare(target, ...given));
    expect(run.code).toBe(2);
    expect((JSON.parse(run.stdout) as { error: { message: string } }).error.message).toMatch(message);
    expect(await readdir(target).catch(() => 'absent')).toBe('absent');
  });

  it('is a comparison written into the model', async () => {
    const run = await runQuern(...compare(demo, '--force', '--methods', 'rtn'));
    expect(run).toMatchObject({ code: 2 });
    expect(run.stdout).toMatch(/is the model itself/);
    expect(await readdir(demo)).not.toContain('results.json');
  });

  it('is a report of a folder without results', async () => {
    const run = await runQuern('report', demo);
    expect(run).toMatchObject({ code: 2 });
    expect(run.stderr).toMatch(/results\.json.*Name a folder that quern compare has written/);
  });
});
