import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scoreWindows } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import { cloneModel, findBlockCuts, findPlainHead, inlineInitializer, readTensor } from '@quern/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scoreByBlocks } from './scoreByBlocks.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
/** Windows of three lengths; one scores from its middle, one scores nothing. */
const windows = [
  { length: 256, firstScored: 1 },
  { length: 40, firstScored: 20 },
  { length: 256, firstScored: 1 },
  { length: 256, firstScored: 200 },
  { length: 7, firstScored: 7 },
].map(({ length, firstScored }, index) => ({
  ids: Int32Array.from({ length }, (_, at) => (at * 7919 + index * 104729) % 4001),
  firstScored,
}));

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'quern-blocks-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it.each([['head in slices'], ['head whole']])('scores as the whole model does, block by block: %s', async kind => {
  const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
  expect(findPlainHead(model, 'logits')).not.toBeNull();
  const own = kind === 'head whole' ? await withInlineTable(model) : model;
  const whole = await scoreWindows(model, windows, { device: 'cpu' });
  const places = new Set<string>();
  const blocks = await scoreByBlocks(own, findBlockCuts(own)!, windows, {
    device: 'cpu',
    scratch: join(scratch, 'hidden'),
    sliceBytes: 4 * 256 * 1000, // four full slices of the vocabulary and a short one
    onProgress: (done, total, place) => {
      expect(done).toBeLessThanOrEqual(total);
      places.add(place);
    },
  });
  expect([...blocks.tokenCounts]).toEqual([...whole.tokenCounts]);
  expect(blocks.tokenCounts.at(-1)).toBe(0);
  for (const [index, nll] of whole.nll.entries()) expect(blocks.nll[index]! - nll).toBeCloseTo(0, 2);
  expect([...blocks.right]).toEqual([...whole.right]);
  for (const [at, gap] of whole.gaps.entries()) expect(blocks.gaps[at]! - gap).toBeCloseTo(0, 2);
  expect([...places]).toEqual([...[1, 2, 3, 4, 5, 6].map(block => `block ${block} of 6`), 'head']);
});

/** The same model with a head that lies in no file, so that it cannot be sliced. */
async function withInlineTable(model: Awaited<ReturnType<typeof importCheckpoint>>['model']) {
  const { tensor } = findPlainHead(model, 'logits')!;
  const { dims, dataType, bytes } = await readTensor(model, tensor);
  const copy = cloneModel(model);
  const { initializer } = copy.proto.graph!;
  const position = initializer.findIndex(({ name }) => name === tensor.name);
  initializer[position] = inlineInitializer(tensor.name, dataType, dims, bytes);
  expect(findPlainHead(copy, 'logits')).toBeNull();
  return copy;
}
