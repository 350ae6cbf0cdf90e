import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniformNumbers } from '@quern/core';
import { type ContinuationScores, scoreContinuations } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import { cloneModel, findBlockCuts, inlineInitializer, type OnnxModel, readTensor } from '@quern/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PipelineEvent } from '../events.ts';
import type { BlockModel } from '../forward/asBlocks.ts';
import { headOf } from '../forward/openHeadPart.ts';
import { openResultStore } from '../solve/resultStore.ts';
import { continuationRuns } from './continuationRuns.ts';
import { continuationsByBlocks } from './continuationsByBlocks.ts';
import type { PreparedTask } from './prepareTask.ts';

const demo = join(import.meta.dirname, '../../../../models/demo');
const uniform = uniformNumbers(5);
const tokens = (count: number) => Array.from({ length: count }, () => 1 + Math.floor(4000 * uniform()));
/** Answers of several lengths behind contexts of several lengths. */
const answered = [9, 40, 25].map(length => {
  const context = [0, ...tokens(length)];
  return [1, 5, 2, 9].map(count => ({ ids: Int32Array.from([...context, ...tokens(count)]), firstScored: length + 1 }));
});
/** Items with too little in common, of equal and of other lengths; a text that is scored from its first token on. */
const strangers = [tokens(9), tokens(9), tokens(12)].map(ids => ({
  ids: Int32Array.from([0, ...ids]),
  firstScored: 4,
}));
const whole = { ids: Int32Array.from([0, ...tokens(12)]), firstScored: 1 };

function taskOf(items: readonly (readonly PreparedTask['windows'][number][])[]) {
  let next = 0;
  const requests = items.map(item => item.map(() => next++));
  const windows = items.flat();
  return { definition: { id: 'made-up' }, data: { id: '', sha256: '' }, windows, requests } as unknown as PreparedTask;
}

const mixed = taskOf([...answered, strangers, [whole]]);
const alone = taskOf([strangers, [whole]]);

let folder = '';
let model: OnnxModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-continuations-'));
  ({ model } = await importCheckpoint(demo, { dtype: 'fp32' }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const chain = (own: OnnxModel): BlockModel => ({ model: own, cuts: findBlockCuts(own)! });
const context = () => ({
  ...({ stage: 'evaluate result', device: 'cpu', request: { threads: 1 }, folder: { scratch: folder } } as const),
  emit: (_: PipelineEvent) => undefined,
});

function expectSame(found: ContinuationScores, { logLikelihood, isGreedy }: ContinuationScores): void {
  for (const [index, value] of logLikelihood.entries()) expect(found.logLikelihood[index]).toBeCloseTo(value, 3);
  expect([...found.isGreedy]).toEqual([...isGreedy]);
}

it.each([
  ['items side by side and others in batches', mixed, true],
  ['batches alone', alone, false],
])('scores as the whole model does: %s', async (_, task, branching) => {
  const expected = await scoreContinuations(model, task.windows, task.requests, { device: 'cpu', threads: 1 });
  const runs = continuationRuns(task.windows, task.requests, { branching, batchTokens: 512 });
  expect(runs.some(({ ids }) => ids.length === 2)).toBe(true);
  expect(runs.flatMap(({ scored }) => scored.map(({ index }) => index)).toSorted((a, b) => a - b)).toEqual([
    ...task.windows.keys(),
  ]);
  expectSame(await continuationsByBlocks(chain(model), task, context()), expected);
  expectSame(await continuationsByBlocks(chain(model), task, { ...context(), groupTokens: 40 }), expected);
  const inline = chain(await withInlineTable(model));
  expect([headOf(model), headOf(inline.model)]).toEqual([expect.anything(), null]);
  expectSame(await continuationsByBlocks(inline, task, context()), expected);
});

it('goes on behind the groups that a stopped run had scored, with the same scores', async () => {
  const results = await openResultStore(join(folder, 'results'));
  const score = (onDone: (done: number) => void, signal?: AbortSignal) =>
    continuationsByBlocks(chain(model), mixed, {
      ...{ ...context(), groupTokens: 50, signal },
      keep: { results, content: async () => 'the model' },
      emit: event => event.kind === 'progress' && onDone(event.done),
    });
  const total = mixed.windows.reduce((sum, { ids }) => sum + ids.length, 0);
  const stop = new AbortController();
  await expect(score(done => done > total / 2 && stop.abort(), stop.signal)).rejects.toMatchObject({
    code: 'INTERRUPTED',
  });
  const finished = await results.count();
  expect(finished).toBeGreaterThan(0);
  const seen: number[] = [];
  const resumed = await score(done => seen.push(done));
  expect(Math.min(...seen)).toBeGreaterThan(50);
  expect(Math.max(...seen)).toBe(total);
  expect(resumed).toEqual(await continuationsByBlocks(chain(model), mixed, { ...context(), groupTokens: 50 }));
});

/** The same model with a head that lies in no file, so that it cannot be sliced. */
async function withInlineTable(own: OnnxModel): Promise<OnnxModel> {
  const copy = cloneModel(own);
  const { initializer } = copy.proto.graph!;
  const position = initializer.findIndex(({ dims }) => Number(dims[0]) === 4096);
  const { name } = initializer[position]!;
  const { dims, dataType, bytes } = await readTensor(own, initializer[position]!);
  initializer[position] = inlineInitializer(name, dataType, dims, bytes);
  return copy;
}
