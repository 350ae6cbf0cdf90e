import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import { createInlineStore, findBlockCuts, findLinearSites, foldInputScale } from '@quern/onnx';
import { expect, it } from 'vitest';
import { advanceBlock, captureBlock, type ForwardContext, startForward } from './blockForward.ts';
import { createHiddenStates } from './hiddenStates.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');

it('runs a norm as it stands, also where it was changed after hidden states had reached its block', async () => {
  const { model } = await importCheckpoint(demo, { dtype: 'fp32' });
  const ids = Int32Array.of(0, 17, 230, 4001, 5, 99);
  const context: ForwardContext = {
    model,
    localize: async submodel => submodel,
    inputs: { runCount: 1, runsPerSum: 1, read: async () => ({ kind: 'text', ids: [ids] }) },
    hidden: createHiddenStates('unused', 2 ** 20),
    device: 'cpu',
    signal: undefined,
  };
  const cuts = findBlockCuts(model)!;
  expect(cuts.every(({ inputNames }) => inputNames.length === 1)).toBe(true);
  await startForward(context, cuts[0]!);
  await advanceBlock(context, cuts[0]!);
  const readers = findLinearSites(model).filter(({ name }) => /^model\.layers\.1\.attn\.[qkv]_proj$/.test(name));
  const capture = async () => {
    const statistics = await captureBlock(context, cuts[1]!, readers, () => undefined);
    return statistics.get(readers[0]!.inputName)!.inputGram.data;
  };
  const before = await capture();
  expect(await foldInputScale(model, readers, new Float32Array(256).fill(2), createInlineStore('.'))).toBe(true);
  expect([...(await capture())]).toEqual([...before].map(value => 4 * value));
});
