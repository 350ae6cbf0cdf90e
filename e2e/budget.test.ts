import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashResult, listJobs } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';
import { startQuern, waitUntil } from './startQuern.ts';

let folder = '';
let cache = '';
let recipe = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-budget-test-'));
  cache = join(folder, 'cache');
  process.env.QUERN_CACHE = cache;
  recipe = join(folder, 'recipe.yaml');
  // One of six blocks, a few windows: quick.
  const lines = ['exclude: ["model.layers.{1,2,3,4,5}.*"]', 'calibration: { windows: 8, windowLength: 64 }'];
  await writeFile(recipe, lines.join('\n'));
});
afterAll(async () => {
  delete process.env.QUERN_CACHE;
  await rm(folder, { recursive: true, force: true });
});

/** What was measured of models, by file: bytes and when they were written. */
async function measurements(): Promise<Record<string, string>> {
  const kept = join(cache, 'sensitivities');
  const names = await readdir(kept);
  const contents = await Promise.all(names.map(name => readFile(join(kept, name))));
  return Object.fromEntries(names.map((name, index) => [name, contents[index]!.toString('base64')]));
}

describe('--target-size', () => {
  it('names the least size, and is met by the files', async () => {
    const refused = await runQuern('plan', demo, '--recipe', recipe, '--target-size', '1MB');
    expect(refused.code).toBe(2);
    const [, least] = refused.stderr.match(/The least is (\d+) bytes/)!;
    const target = Number(least) + 160_000;
    const flags = ['--recipe', recipe, '--target-size', `${target / 1000} kB`, '--json'];
    const planned = JSON.parse((await runQuern('plan', demo, ...flags)).stdout);
    // 160 000 bytes are 1.63 bits for each of the 786 432 weights of a block, above half a bit.
    expect(planned.bitsPerWeight).toBeCloseTo(2.13, 1);
    expect(planned).toMatchObject({ storage: 'packed', budget: { predicted: null } });
    const out = join(folder, 'met');
    const run = await runQuern('compress', demo, '--out', out, '--evaluate', 'none', ...flags);
    const { storage, budget } = JSON.parse(run.stdout);
    expect(await readdir(join(out, 'onnx'))).toEqual(expect.arrayContaining([expect.stringMatching(/\.quern$/)]));
    expect(storage.compressedBytes).toBeLessThanOrEqual(target);
    expect(storage.compressedBytes).toBeGreaterThan(0.99 * target);
    expect(storage.bitsPerWeight).toBeCloseTo(planned.bitsPerWeight, 1);
    expect(budget.measured.bytes).toBe(storage.compressedBytes);
    expect(Math.abs(budget.predicted.bytes / budget.measured.bytes - 1)).toBeLessThan(0.005);
    expect(run.stderr).not.toContain('warning');
    // What was measured makes the next plan know the choice.
    const again = JSON.parse((await runQuern('plan', demo, ...flags)).stdout);
    expect(again.budget.predicted).toEqual(budget.predicted);
  });
});

describe('--bits-per-weight', () => {
  const flags = (bits: string): string[] => [
    ...['--recipe', recipe, '--method', 'gptq', '--storage', 'container'],
    ...['--bits-per-weight', bits, '--evaluate', 'none', '--device', 'cpu'],
  ];

  it('shares bits out by what each site loses, and starts from what an earlier budget measured', async () => {
    const first = await runQuern('compress', demo, '--out', join(folder, 'three'), ...flags('3'), '--json');
    const { storage, sites, budget } = JSON.parse(first.stdout);
    expect(storage.bitsPerWeight).toBeLessThanOrEqual(3);
    expect(storage.bitsPerWeight).toBeGreaterThan(2.95);
    expect(budget.predicted.bitsPerWeight).toBe(storage.bitsPerWeight);
    expect(budget.corrections).toBe(0);
    expect(budget.measured.klDivergence).toBeGreaterThan(0);
    expect(new Set(sites.map((site: { nominalBits: number }) => site.nominalBits)).size).toBeGreaterThan(1);
    const kept = await measurements();
    const second = await runQuern('compress', demo, '--out', join(folder, 'two'), ...flags('2.25'));
    expect(second.stderr).toContain(`known from ${join(cache, 'sensitivities')}`);
    expect(second.stdout).toMatch(/^chosen +\d+ x gptq/m);
    expect(await measurements()).toEqual(kept);
    const dry = await runQuern('compress', demo, '--dry-run', ...flags('3'), '--json');
    const planned = JSON.parse(dry.stdout) as { bitsPerWeight: number; sites: { name: string; nominalBits: number }[] };
    expect(planned.bitsPerWeight).toBe(storage.bitsPerWeight);
    expect(planned.sites.map(({ name, nominalBits }) => [name, nominalBits])).toEqual(
      sites.map((site: { name: string; nominalBits: number }) => [site.name, site.nominalBits]),
    );
  });

  it('gives the same bytes after kill -9 while it measures, and with another number of threads', async () => {
    const expected = hashResult(join(folder, 'three'));
    await rm(cache, { recursive: true });
    const out = join(folder, 'killed');
    const started = startQuern('compress', demo, '--out', out, ...flags('3'), '--resume');
    expect(await waitUntil(started, () => listJobs(out).size >= 9)).toBe(true);
    started.signalGroup('SIGKILL');
    await started.ended;
    const kept = listJobs(out).size;
    await rm(cache, { recursive: true });
    const resumed = await runQuern('compress', demo, '--out', out, ...flags('3'), '--resume', '--threads', '1');
    expect(resumed).toMatchObject({ code: 0 });
    expect(resumed.stderr).toMatch(/resumes with \d+ finished results/);
    expect(kept).toBeGreaterThanOrEqual(9);
    expect(hashResult(out)).toEqual(expected);
  });

  it('plans packed files with entropy-coded methods among others, and containers where a client loads no packed ones', async () => {
    const packed = JSON.parse((await runQuern('plan', demo, '--bits-per-weight', '2.5', '--json')).stdout);
    expect(packed).toMatchObject({ storage: 'packed', bitsPerWeight: 2.5 });
    expect(packed.sites[0].solver).toBe('gptq, watersic');
    const genai = await runQuern('plan', demo, '--layout', 'genai', '--bits-per-weight', '2.5', '--json');
    const { storage, sites } = JSON.parse(genai.stdout);
    expect([storage, sites[0].solver]).toEqual(['container', 'gptq']);
  });
});

describe('--max-perplexity-increase', () => {
  it('is kept on the evaluation text, with few bits', async () => {
    const out = join(folder, 'increase');
    const flags = ['--recipe', recipe, '--method', 'gptq', '--max-perplexity-increase', '0.4%', '--json'];
    const run = await runQuern('compress', demo, '--out', out, '--window-length', '64', ...flags);
    const { perplexity, budget, storage } = JSON.parse(run.stdout);
    expect(perplexity.after / perplexity.before).toBeLessThanOrEqual(1.004);
    expect(budget.measured.perplexityIncrease).toBeCloseTo(perplexity.after / perplexity.before - 1, 9);
    expect(budget.corrections).toBeLessThanOrEqual(3);
    expect(storage.bitsPerWeight).toBeLessThan(6);
  });
});

describe('what cannot be', () => {
  it.each([
    [['--target-size', 'big'], 'targetSize (big): must be a size'],
    [['--target-size', '3.2kg'], 'targetSize (3.2kg): must be a size'],
    [['--bits-per-weight', '3MB'], 'bitsPerWeight (3MB): must be a number'],
    [['--max-perplexity-increase', '2MB'], 'maxPerplexityIncrease (2MB): must be a percentage'],
    [['--bits-per-weight', '1.2', '--method', 'gptq'], 'the least that these methods store is 2.053 bits a weight'],
    [['--bits-per-weight', '9', '--method', 'gptq'], 'the most that these methods store is 8.500 bits a weight'],
    [['--target-size', '2MB', '--method', 'gptq'], 'The least is'],
    [['--target-size', '2MB', '--method', 'watersic', '--storage', 'container'], 'counts them in packed files'],
    [['--bits-per-weight', '2', '--method', 'basis-sharing'], 'solves several blocks together'],
    [['--bits-per-weight', '2', '--bits', '3'], "cannot be used with option '--bits <b>'"],
    [['--bits-per-weight', '2', '--target-size', '2MB'], "cannot be used with option '--target-size <size>'"],
    [['--methods', 'gptq,rtn'], 'only a budget chooses among methods'],
  ])('%j is refused', async (flags, message) => {
    const { code, stderr } = await runQuern('plan', demo, ...flags);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
