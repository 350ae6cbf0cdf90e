import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explainLosses, explainWindows, scoreWindows } from '@quern/evaluator';
import { importCheckpoint } from '@quern/importer';
import {
  cloneModel,
  createWeightStore,
  findBlockCuts,
  findHead,
  findLinearSites,
  inlineInitializer,
  type OnnxModel,
  readOnnxModel,
  readTensor,
  readWeight,
  replaceSite,
  writeOnnxModel,
} from '@quern/onnx';
import { roundToNearest } from '@quern/solvers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeRest } from '../output/writeRest.ts';
import { type RecipeInput, resolveRecipe } from '../recipe.ts';
import type { BlockModel } from './asBlocks.ts';
import { lossesByBlocks } from './lossesByBlocks.ts';
import { scoreByBlocks } from './scoreByBlocks.ts';
import { tokenRun } from './tokenRun.ts';

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
/** The demo model as it is; with its table rounded: a tied head of codes; with all its weights rounded. */
let original: BlockModel;
let rounded: BlockModel;
let quantized: BlockModel;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'quern-blocks-'));
  const open = async () => (await importCheckpoint(demo, { dtype: 'fp32' })).model;
  original = chain(await open());
  rounded = chain(await written(await open(), { headBits: 4, accuracyLevel: 0 }, 'rounded'));
  quantized = chain(await written(await open(), { headBits: 8, accuracyLevel: 0 }, 'quantized', 4));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const chain = (model: OnnxModel): BlockModel => ({ model, cuts: findBlockCuts(model)! });
const hasSlices = ({ model }: BlockModel): boolean => findHead(model, 'logits') !== null;

/** Writes a model whose sites stay as they are, unless they get `bits`. */
async function written(model: OnnxModel, recipe: RecipeInput, name: string, bits?: number): Promise<OnnxModel> {
  const folder = join(scratch, name);
  const store = createWeightStore({ folder, fileName: 'data' });
  for (const site of bits === undefined ? [] : findLinearSites(model).filter(({ block }) => block !== null)) {
    const compressed = roundToNearest(await readWeight(model, site), { bits: bits!, groupSize: 32 });
    await replaceSite(model, { site, compressed, accuracyLevel: 0, activationType: 'float32' }, store);
  }
  await writeRest(model, resolveRecipe(recipe), store, new Set());
  await store.close();
  await writeOnnxModel({ proto: model.proto, folder }, join(folder, 'model.onnx'));
  return readOnnxModel(join(folder, 'model.onnx'));
}

/** The same model with a head that lies in no file, so that it cannot be sliced. */
async function withInlineTable({ model }: BlockModel): Promise<BlockModel> {
  const copy = cloneModel(model);
  const { initializer } = copy.proto.graph!;
  const position = initializer.findIndex(({ dims }) => Number(dims[0]) === 4096);
  const { name } = initializer[position]!;
  const { dims, dataType, bytes } = await readTensor(model, initializer[position]!);
  initializer[position] = inlineInitializer(name, dataType, dims, bytes);
  return chain(copy);
}

const options = () => ({ device: 'cpu' as const, scratch: join(scratch, 'hidden'), sliceBytes: 4 * 256 * 1000 });

it('scores as the whole model does, block by block, the head in slices or whole', async () => {
  for (const [own, sliced] of [
    [original, true],
    [rounded, true],
    [quantized, true],
    [await withInlineTable(original), false],
  ] as const) {
    expect(hasSlices(own)).toBe(sliced);
    const whole = await scoreWindows(own.model, windows, { device: 'cpu' });
    const places = new Set<string>();
    const onProgress = (share: number, place: string): void => {
      expect(share).toBeLessThanOrEqual(1);
      places.add(place);
    };
    const blocks = await scoreByBlocks(own, windows, { ...options(), onProgress });
    expect([...blocks.tokenCounts]).toEqual([...whole.tokenCounts]);
    expect(blocks.tokenCounts.at(-1)).toBe(0);
    for (const [index, nll] of whole.nll.entries()) expect(blocks.nll[index]! - nll).toBeCloseTo(0, 2);
    expect([...blocks.right]).toEqual([...whole.right]);
    for (const [at, gap] of whole.gaps.entries()) expect(blocks.gaps[at]! - gap).toBeCloseTo(0, 2);
    expect([...places]).toEqual([...[1, 2, 3, 4, 5, 6].map(block => `block ${block} of 6`), 'head']);
  }
});

it.each([['in slices'], ['whole']])('compares with a baseline as whole models do, heads %s', async kind => {
  const baseline = kind === 'whole' ? await withInlineTable(original) : original;
  const whole = await scoreWindows(rounded.model, windows, { device: 'cpu', baseline: original.model });
  const blocks = await scoreByBlocks(rounded, windows, { ...options(), baseline });
  const [expected, found] = [whole.baseline!, blocks.baseline!];
  const near = (actual: ArrayLike<number>, wanted: ArrayLike<number>, digits: number): void => {
    expect(actual.length).toBe(wanted.length);
    for (let at = 0; at < wanted.length; at++) expect(actual[at]! - wanted[at]!).toBeCloseTo(0, digits);
  };
  near(blocks.nll, whole.nll, 2);
  near(found.nll, expected.nll, 2);
  near(found.klDivergence, expected.klDivergence, 3);
  near(found.tokenDivergences, expected.tokenDivergences, 5);
  expect(Math.max(...expected.tokenDivergences)).toBeGreaterThan(0.01);
  for (const name of ['topAgreements', 'topFiveAgreements', 'lost', 'gained', 'right'] as const) {
    expect([name, ...found[name]]).toEqual([name, ...expected[name]]);
  }
  expect(expected.topAgreements[0]).toBeLessThan(255);
});

it('explains tokens as whole models do', async () => {
  const { model } = rounded;
  const whole = await explainWindows(model, windows.slice(0, 2), { device: 'cpu', baseline: original.model });
  const runs = windows.slice(0, 2).map(({ ids }) => tokenRun([ids]));
  const blocks = (await lossesByBlocks(rounded, original, runs, options())).map(explainLosses);
  for (const [window, tokens] of whole.entries()) {
    for (const [at, { topBefore, topAfter, ...shares }] of tokens.entries()) {
      const found = blocks[window]![at]!;
      expect([found.topBefore, found.topAfter]).toEqual([topBefore, topAfter]);
      for (const [name, share] of Object.entries(shares)) {
        expect(found[name as keyof typeof shares]).toBeCloseTo(share, 4);
      }
    }
  }
});
