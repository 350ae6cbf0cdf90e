import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashResult, listJobs } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';
import { startQuern, waitUntil } from './startQuern.ts';

const QUICK = ['--exclude', 'model.layers.{1,2,3,4,5}.*', '--window-length', '64', '--device', 'cpu'];

let folder = '';
let stories = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-capture-'));
  stories = join(folder, 'stories');
  const run = await runQuern('capture', demo, '--out', stories, ...QUICK, '--windows', '16', '--json');
  expect(run).toMatchObject({ code: 0 });
  expect(JSON.parse(run.stdout)).toMatchObject({ windowsUsed: 16, inputs: Array(5).fill({ tokenCount: 1024 }) });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const compress = (name: string, ...flags: readonly string[]) =>
  runQuern('compress', demo, '--out', join(folder, name), '--bits', '3', '--evaluate', 'none', ...QUICK, ...flags);

it('says before work what it would write', async () => {
  const run = await runQuern('capture', demo, '--dry-run', '--json', ...QUICK);
  expect(run).toMatchObject({ code: 0 });
  const { inputs, bytes } = JSON.parse(run.stdout);
  expect(inputs).toHaveLength(5);
  expect(bytes).toBe(8 * (4 * (256 ** 2 + 256) + 768 ** 2 + 768));
});

it('takes the flags of compress and says which have no effect', async () => {
  const flags = ['--method', 'gptq:3', '--target-size', '2MB', '--head-bits', '4', '--evaluate', 'stories'];
  const run = await runQuern('capture', demo, '--dry-run', ...QUICK, ...flags);
  expect(run.code).toBe(0);
  expect(run.stderr).toContain('--method, --target-size, --head-bits, --evaluate: without effect');
  expect(run.stderr).toContain('--statistics');
});

it('solves from a capture what a run that captures the original itself gives', async () => {
  const recipe = join(folder, 'recipe.yaml');
  await writeFile(recipe, 'sequential: false\n');
  expect(await compress('own', '--recipe', recipe, '--windows', '16')).toMatchObject({ code: 0 });
  expect(await compress('stored', '--statistics', stories)).toMatchObject({ code: 0 });
  const { 'quern.json': _, ...own } = hashResult(join(folder, 'own'));
  expect(hashResult(join(folder, 'stored'))).toMatchObject(own);
});

it('adds captures, and compares methods from them', async () => {
  const prose = join(folder, 'prose');
  const capture = ['capture', demo, '--out', prose, ...QUICK, '--calibration', 'prose', '--windows', '4'];
  // Killed between two blocks, and finished by the same command.
  const started = startQuern(...capture, '--resume');
  expect(await waitUntil(started, () => listJobs(prose).size >= 1)).toBe(true);
  started.signalGroup('SIGKILL');
  await started.ended;
  expect(await runQuern(...capture, '--resume')).toMatchObject({ code: 0 });
  expect((await runQuern(...capture, '--resume')).stderr).toContain('nothing to resume');

  const both = `${stories},${prose}`;
  const compare = await runQuern(
    'compare',
    demo,
    '--out',
    join(folder, 'compare'),
    ...['--methods', 'rtn:3,gptq:3', '--statistics', both, '--evaluate', 'none', '--json'],
    ...QUICK,
  );
  expect(compare).toMatchObject({ code: 0 });
  const { rows, calibration } = JSON.parse(compare.stdout);
  expect(calibration).toMatchObject({ data: 'stories + prose', windows: 20, windowLength: 64 });
  expect(rows).toHaveLength(2);

  const twice = await compress('refused', '--statistics', `${stories},${stories}`);
  expect(twice.code).toBe(2);
  expect(twice.stderr).toMatch(/same text.*\[INVALID_STATISTICS\]/);
  const rivals = await compress('refused', '--statistics', both, '--calibration', 'code');
  expect(rivals.code).toBe(2);
});
