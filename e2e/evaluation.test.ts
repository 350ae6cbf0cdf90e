import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, hasOutside, outside, runQuern } from './runQuern.ts';

/** Fields that scripts rely on; others may stand beside them. */
const FIELDS = [
  'perplexity',
  'bitsPerByte',
  'nllSum',
  'tokenCount',
  'windowLength',
  'stride',
  'standardError',
  'device',
];
const BASELINE_FIELDS = ['perplexity', 'klDivergence', 'topAgreement', 'nllDifference'];

let folder = '';
let compressed = '';
let text = '';
const flags = () => ['--data', text, '--per-document', '--device', 'cpu', '--json'];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-evaluation-'));
  [compressed, text] = [join(folder, 'rtn3'), join(folder, 'text.jsonl')];
  const documents = Array.from({ length: 12 }, (_, index) => ({
    text: `Once upon a time, bird number ${index} found a <b>red</b> stone. She put it under the old tree and flew home.`,
  }));
  await writeFile(text, documents.map(document => JSON.stringify(document)).join('\n'));
  const run = await runQuern(
    'compress',
    demo,
    '--out',
    compressed,
    '--method',
    'rtn',
    '--bits',
    '3',
    '--evaluate',
    'none',
  );
  expect(run.code).toBe(0);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Evaluated extends Readonly<Record<string, unknown>> {
  readonly perplexity: number;
  readonly wordCount: number;
  readonly baseline: Readonly<Record<string, unknown>> & { readonly perplexity: number };
}

describe('quern evaluate', () => {
  it('compares with a baseline and writes a report', async () => {
    const report = join(folder, 'report');
    const run = await runQuern('evaluate', compressed, '--baseline', demo, '--report', report, ...flags());
    expect(run).toMatchObject({ code: 0 });
    const result = JSON.parse(run.stdout) as Evaluated;
    for (const field of FIELDS) expect(result).toHaveProperty(field);
    for (const field of BASELINE_FIELDS) expect(result.baseline).toHaveProperty(field);
    // 21 words each, by Python's split.
    expect(result.wordCount).toBe(12 * 21);
    const alone = await runQuern('evaluate', demo, ...flags());
    const original = JSON.parse(alone.stdout) as Evaluated;
    for (const [name, value] of Object.entries(original)) {
      if (name in result.baseline) expect(result.baseline[name], name).toBe(value);
    }
    expect((await readdir(report)).sort()).toEqual(['evaluation.json', 'report.html']);
    const page = await readFile(join(report, 'report.html'), 'utf8');
    expect(page).toContain('&lt;');
    expect(page).not.toContain('<b>');
    await rm(join(report, 'report.html'));
    expect(await runQuern('report', report)).toMatchObject({ code: 0 });
    expect(await readFile(join(report, 'report.html'), 'utf8')).toBe(page);
    const again = await runQuern('evaluate', compressed, '--baseline', demo, '--report', report, ...flags());
    expect(again.code).toBe(2);
    expect(again.stdout).toMatch(/not empty.*--force/);
    const forced = await runQuern(
      'evaluate',
      compressed,
      '--baseline',
      demo,
      '--report',
      report,
      '--force',
      ...flags(),
    );
    expect(forced.code).toBe(0);
    expect(await readFile(join(report, 'report.html'), 'utf8')).toBe(page);
  });

  it('refuses a report of nothing to compare, and one among other files', async () => {
    const alone = await runQuern('evaluate', compressed, '--report', join(folder, 'alone'), ...flags());
    expect(alone.code).toBe(2);
    expect(alone.stdout).toMatch(/--report.*needs --baseline/);
    const tasks = await runQuern('evaluate', compressed, '--tasks', 'copa', '--report', join(folder, 'alone'));
    expect(tasks).toMatchObject({ code: 2 });
    expect(tasks.stderr).toMatch(/leave out --tasks/);
    const among = await runQuern('evaluate', compressed, '--baseline', demo, '--report', demo, '--force', ...flags());
    expect(among.code).toBe(2);
    expect(among.stdout).toMatch(/folder of its own/);
  });

  it.skipIf(!hasOutside)(
    'gives the same figures while it still cuts a text as behind the whole of it (needs ../shared/data)',
    async () => {
      const model = join(outside, 'models/tinystories-656k-llama');
      const long = join(folder, 'long.txt');
      await writeFile(
        long,
        gunzipSync(await readFile(join(outside, 'text/tinystories_calib.txt.gz'))).subarray(0, 3e5),
      );
      const evaluate = async (...more: readonly string[]): Promise<object> => {
        const { stdout } = await runQuern('evaluate', model, '--data', long, '--device', 'cpu', '--json', ...more);
        const { durationMs: _, ...figures } = JSON.parse(stdout) as { durationMs: number };
        return figures;
      };
      // With one scoring thread another core is idle.
      const beside = await evaluate('--threads', '1');
      expect(beside).toHaveProperty('windowCount', 146);
      expect(beside).toEqual(await evaluate());
    },
  );
});
