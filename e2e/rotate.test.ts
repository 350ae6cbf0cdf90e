import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hashResult } from './resultFolder.ts';
import { demo, hasOutside, outside, runQuern } from './runQuern.ts';

const QUICK = ['--exclude', 'model.layers.{1,2,3,4,5}.*', '--window-length', '64', '--device', 'cpu'];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-rotate-'));
  process.env.QUERN_CACHE = join(folder, 'cache');
});
afterAll(async () => {
  delete process.env.QUERN_CACHE;
  await rm(folder, { recursive: true, force: true });
});

const compress = (name: string, ...flags: readonly string[]) =>
  runQuern('compress', demo, '--out', join(folder, name), ...flags, '--json');

it('writes the model in another basis, with the perplexity it had', async () => {
  const run = await compress('plain', '--method', 'none', '--rotate', 'true', '--device', 'cpu');
  expect(run).toMatchObject({ code: 0 });
  const { perplexity, storage } = JSON.parse(run.stdout);
  expect(Math.abs(perplexity.nllDifference)).toBeLessThan(2e-6);
  // Weights of the demo model are float16 on disk; the tied head costs 256 x 256 more.
  expect(storage.compressedBytes).toBeGreaterThan(2 * storage.originalBytes);
});

it('tries both where that is left open, says what it found, and makes what was chosen', async () => {
  const flags = ['--bits', '3', '--windows', '8', '--evaluate', 'none', ...QUICK];
  const auto = await compress('auto', '--rotate', 'auto', ...flags);
  expect(auto).toMatchObject({ code: 0 });
  expect(auto.stderr).toMatch(/rotate: (on|off): KL .* \(2 held-out windows\)/);
  const { rotation, recipe } = JSON.parse(await readFile(join(folder, 'auto', 'quern.json'), 'utf8'));
  expect(rotation).toMatchObject({ windows: 6, heldOut: 2, rotate: recipe.rotate });
  expect(rotation.moreBits).toBeGreaterThan(0);
  expect(await compress('chosen', '--rotate', String(recipe.rotate), ...flags)).toMatchObject({ code: 0 });
  const { 'quern.json': _, ...chosen } = hashResult(join(folder, 'chosen'));
  expect(hashResult(join(folder, 'auto'))).toMatchObject(chosen);
  // The outcome is kept: the same command decides the same, without trying.
  const again = await compress('auto', '--rotate', 'auto', ...flags, '--resume');
  expect(again.stderr).toMatch(/nothing to resume/);
  expect(again.stderr).not.toMatch(/tries both/);
});

it('solves a rotated model from statistics of the rotated model only', async () => {
  const statistics = join(folder, 'statistics');
  const capture = await runQuern('capture', demo, '--out', statistics, '--rotate', 'true', '--windows', '4', ...QUICK);
  expect(capture).toMatchObject({ code: 0 });
  const flags = ['--method', 'awq:3', '--statistics', statistics, '--evaluate', 'none', ...QUICK];
  const other = await compress('other', ...flags);
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/--rotate.*\[INVALID_STATISTICS\]/);
  const seeded = await compress('seeded', '--rotate', 'true', '--seed', '1', ...flags);
  expect(seeded.stderr).toMatch(/\[INVALID_STATISTICS\]/);
  expect(await compress('same', '--rotate', 'true', ...flags)).toMatchObject({ code: 0 });
});

it.skipIf(!hasOutside)('refuses graphs whose weights it does not know', async () => {
  const graph = join(outside, 'onnx', 'stories260K-llama.onnx');
  const run = await runQuern('compress', graph, '--out', join(folder, 'graph'), '--rotate', 'true');
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/--rotate true: .*Pass the checkpoint.*\[INVALID_OPTION\]/);
});
