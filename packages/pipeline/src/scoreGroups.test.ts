import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreWindows } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import { findBlockCuts } from '@quern/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PipelineEvent } from './events.ts';
import type { BlockModel } from './forward/asBlocks.ts';
import { groupByTokens } from './forward/groupByTokens.ts';
import type { PreparedText } from './open/prepareText.ts';
import { scoreGroups } from './scoreGroups.ts';
import { openResultStore } from './solve/resultStore.ts';

const demo = join(import.meta.dirname, '..', '..', '..', 'models', 'demo');
const windows = [40, 64, 64, 30].map((length, index) => ({
  ids: Int32Array.from({ length }, (_, at) => (at * 7919 + index * 104729) % 4001),
  firstScored: 1,
}));
const text = { windows, windowLength: 64, stride: 64, data: { id: 'made-up', sha256: '' } } as unknown as PreparedText;

let folder = '';
let blocks: BlockModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-groups-'));
  const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
  blocks = { model, cuts: findBlockCuts(model)! };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('cuts a text into groups of whole windows', () => {
  const lengths = (groupTokens: number) =>
    groupByTokens(windows, ({ ids }) => ids.length, groupTokens).map(group => group.map(({ ids }) => ids.length));
  expect(lengths(128)).toEqual([
    [40, 64],
    [64, 30],
  ]);
  expect(lengths(10)).toEqual([[40], [64], [64], [30]]);
  expect(lengths(1000)).toEqual([[40, 64, 64, 30]]);
});

it('goes on behind the groups that a stopped run had scored, with the same scores', async () => {
  const results = await openResultStore(join(folder, 'results'));
  const keep = { results, content: async () => 'the model' };
  const score = async (onEvent: (event: PipelineEvent) => void, signal?: AbortSignal, content = 'the model') =>
    scoreGroups({ own: blocks, baseline: blocks }, text, {
      ...{ stage: 'evaluate result', device: 'cpu', request: {}, groupTokens: 128, signal },
      ...{ emit: onEvent, folder: { scratch: folder }, keep: { ...keep, content: async () => content } },
    });
  const done = (event: PipelineEvent): number => (event.kind === 'progress' ? event.done : 0);

  const stop = new AbortController();
  const stopped = score(event => done(event) > 150 && stop.abort(), stop.signal);
  await expect(stopped).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(await results.count()).toBe(1);

  const seen: number[] = [];
  const resumed = await score(event => seen.push(done(event)));
  expect(Math.min(...seen)).toBeGreaterThan(104);
  expect(Math.max(...seen)).toBe(198);
  expect(await results.count()).toBe(2);
  // Nothing of another model is taken for this one's.
  seen.length = 0;
  expect(await score(event => seen.push(done(event)), undefined, 'another')).toEqual(resumed);
  expect(Math.min(...seen)).toBeLessThan(104);

  const whole = await scoreWindows(blocks.model, windows, { device: 'cpu', baseline: blocks.model });
  expect([...resumed.tokenCounts]).toEqual([...whole.tokenCounts]);
  for (const [window, nll] of whole.nll.entries()) expect(resumed.nll[window]! - nll).toBeCloseTo(0, 2);
  expect(resumed.baseline!.tokenDivergences.length).toBe(whole.baseline!.tokenDivergences.length);
  expect([...resumed.baseline!.right]).toEqual([...whole.baseline!.right]);
  expect(resumed.gaps.length).toBe(whole.gaps.length);
});
