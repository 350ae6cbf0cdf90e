import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashResult } from './resultFolder.ts';
import { demo, runQuern } from './runQuern.ts';

const QUICK = ['--exclude', 'model.layers.{1,2,3,4,5}.*', '--windows', '6', '--window-length', '48', '--bits', '3'];
const REST = ['--evaluate', 'none', '--device', 'cpu'];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-calibration-'));
  process.env.QUERN_CACHE = join(folder, 'cache');
});
afterAll(async () => {
  delete process.env.QUERN_CACHE;
  await rm(folder, { recursive: true, force: true });
});

async function calibrated(name: string, ...flags: readonly string[]) {
  const out = join(folder, name);
  const run = await runQuern('compress', demo, '--out', out, ...QUICK, ...REST, ...flags);
  expect(run).toMatchObject({ code: 0 });
  const manifest = JSON.parse(await readFile(join(out, 'quern.json'), 'utf8'));
  return { out, calibration: manifest.calibration, stderr: run.stderr };
}

it('calibrates on mixtures of sets, and says what they are', async () => {
  const { calibration } = await calibrated('mixed', '--calibration', 'mixed');
  expect(calibration).toMatchObject({ id: 'mixed', windowCount: 6, windowLength: 48, seed: 0 });
  expect(calibration.sources.map((source: { id: string }) => source.id)).toEqual(['code', 'prose', 'stories']);
  const general = await calibrated('general', '--calibration', 'general');
  expect(general.calibration.sources.map((source: { id: string }) => source.id)).toEqual(['prose', 'stories']);
});

it('calibrates on text that the model wrote, once for all runs that ask for the same', async () => {
  const first = await calibrated('self', '--calibration', 'self');
  expect(first.calibration).toMatchObject({
    id: 'self',
    sources: [],
    generated: { temperature: 1, beginId: 0 },
    windowCount: 6,
    windowLength: 48,
  });
  expect(first.stderr).toMatch(/write text: 288 tokens/);
  const batches = join(folder, 'cache', 'generated');
  expect(await readdir(batches)).toHaveLength(1);
  const again = await calibrated('again', '--calibration', 'self');
  expect(await readdir(batches)).toHaveLength(1);
  expect(hashResult(again.out)).toEqual(hashResult(first.out));
  await rm(batches, { recursive: true });
  const anew = await calibrated('anew', '--calibration', 'self', '--threads', '1');
  expect(hashResult(anew.out)).toEqual(hashResult(first.out));
});

it('writes no text for a plan, nor for a method that reads none', async () => {
  const plan = await runQuern('plan', demo, '--calibration', 'self');
  expect(plan).toMatchObject({ code: 0 });
  const { calibration, stderr } = await calibrated('rounded', '--method', 'rtn', '--calibration', 'self');
  expect(calibration).toBeNull();
  expect(stderr).toMatch(/self was checked, not used/);
  expect(plan.stderr + stderr).not.toMatch(/write text/);
  const refused = await runQuern('plan', demo, '--calibration', 'storys');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/Sets: code, prose, stories.*also: general, mixed, self/);
});
