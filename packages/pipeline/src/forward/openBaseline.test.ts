import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importCheckpoint } from '@quern/importer';
import {
  activationTypeOf,
  cloneModel,
  createInlineStore,
  findBlockCuts,
  findLinearSites,
  type OnnxModel,
  readWeight,
  replaceSite,
} from '@quern/onnx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepBaseline, keepStates, windowsThatFit } from './keepBaseline.ts';
import { openBaseline } from './openBaseline.ts';

const demo = join(import.meta.dirname, '..', '..', '..', '..', 'models', 'demo');
const windows = [64, 7].map((length, index) => ({
  ids: Int32Array.from({ length }, (_, at) => (at * 7919 + index * 104729) % 4001),
  firstScored: 1,
}));

let folder = '';
let model: OnnxModel;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quern-baseline-'));
  model = (await importCheckpoint(demo, { dtype: 'fp32' })).model;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The model with one weight that is a tenth smaller. */
async function variantAt(name: string): Promise<OnnxModel> {
  const site = findLinearSites(model).find(each => each.name === name)!;
  const { data } = await readWeight(model, site);
  const { outFeatures, inFeatures } = site;
  const compressed = {
    kind: 'dense',
    outFeatures,
    inFeatures,
    data: data.map(value => Math.f16round(0.9 * value)),
  } as const;
  const copy = cloneModel(model);
  const options = { accuracyLevel: 0 as const, activationType: activationTypeOf(model, site) };
  await replaceSite(copy, { site, compressed, ...options }, createInlineStore(model.folder));
  return copy;
}

it('measures from states before the blocks what it measures from logits, also from the block that differs', async () => {
  const options = { device: 'cpu', threads: 1 } as const;
  const logits = await openBaseline(
    await keepBaseline(model, windows, join(folder, 'logits'), options),
    model,
    options,
  );
  const blocks = { model, cuts: findBlockCuts(model)! };
  const kept = await keepStates(blocks, windows, join(folder, 'states'), options);
  expect(kept.logits).toBeNull();
  const states = await openBaseline(structuredClone(kept), model, options);
  for (const block of [0, 3, 5]) {
    const variant = await variantAt(`model.layers.${block}.mlp.down_proj`);
    const expected = await logits.of(variant);
    expect(expected).toBeGreaterThan(1e-4);
    for (const known of [block, null]) {
      expect((await states.of(variant, known)) / expected).toBeCloseTo(1, 3);
    }
  }
  expect(await states.of(model, 2)).toBeCloseTo(0, 6);
  // A wrong block leaves the change out: nothing else is run.
  expect(await states.of(await variantAt('model.layers.0.mlp.down_proj'), 3)).toBeCloseTo(0, 6);
  await logits.release();
  await states.release();
  expect((await readdir(join(folder, 'states'))).sort()).toEqual([0, 1, 2, 3, 4, 5, 6].map(at => `before-${at}`));
});

it('keeps as many windows as fit in 1 GB', () => {
  const many = Array.from({ length: 1000 }, () => windows[0]!);
  expect(windowsThatFit(model, many, 'cpu').length).toBe(Math.floor(1e9 / (4 * 4096 * 64)));
  expect(windowsThatFit(model, many.slice(0, 5), 'cpu').length).toBe(5);
});
