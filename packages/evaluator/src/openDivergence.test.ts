import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepLogits } from './keepLogits.ts';
import { openDivergence } from './openDivergence.ts';
import { scoreWindows } from './scoreWindows.ts';
import { summarizeScores } from './summarizeScores.ts';
import { tableModel } from './testSupport/tableModel.ts';

const cpu = { device: 'cpu', threads: 1 } as const;
const planted = (rows: readonly (readonly number[])[]) => tableModel(rows.map(row => row.map(Math.log)));

/** p(next | current) by row, over three tokens. */
const baseline = planted([
  [1 / 2, 1 / 4, 1 / 4],
  [1 / 8, 1 / 8, 3 / 4],
  [0.3, 0.6, 0.1],
]);
const variant = planted([
  [1 / 4, 1 / 2, 1 / 4],
  [1 / 8, 1 / 8, 3 / 4],
  [0.3, 0.1, 0.6],
]);
const windows = [
  [0, 1, 2, 0],
  [2, 1],
  [0, 0, 0],
].map(ids => ({ ids: Int32Array.from(ids), firstScored: 1 }));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-logits-'));
});
afterAll(() => rm(folder, { recursive: true }));

const open = async () => openDivergence(await keepLogits(baseline, windows, join(folder, 'logits'), cpu), cpu);

it('is the mean over tokens of the divergence from the baseline, for one variant after the other', async () => {
  const divergence = await open();
  // Behind 0, three times: 1/2 ln 2 - 1/4 ln 2. Behind 2, twice: 0.6 ln 6 - 0.1 ln 6.
  const expected = (3 * 0.25 * Math.log(2) + 2 * 0.5 * Math.log(6)) / 6;
  expect(await divergence.of(variant)).toBeCloseTo(expected, 6);
  expect(await divergence.of(baseline)).toBeCloseTo(0, 6);
  expect(await divergence.of(variant)).toBeCloseTo(expected, 6);
  await divergence.release();
});

it('is what scoring finds', async () => {
  const sizes = { byteCounts: [4, 2, 3], wordCounts: [1, 1, 1] };
  const scores = await scoreWindows(variant, windows, { ...cpu, baseline });
  const divergence = await open();
  expect(await divergence.of(variant)).toBeCloseTo(summarizeScores(scores, sizes).baseline!.klDivergence, 9);
  await divergence.release();
});
