import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findEmbeddings } from '../sites/findEmbeddings.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { findStoredCodes } from '../sites/findStoredCodes.ts';
import { runModel } from '../testing/runModel.ts';
import { randomFloats, randomQuantized, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { floatTensor, idTensor, valuesOf } from '../testing/tensors.ts';
import { cloneModel } from './cloneModel.ts';
import { copyRemaining } from './copyRemaining.ts';
import { replaceEmbedding } from './replaceEmbedding.ts';
import { replaceSite } from './replaceSite.ts';
import { storePlanes } from './storePlanes.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
beforeAll(async () => {
  await mkdir(join(folder.path, 'container'));
  await mkdir(join(folder.path, 'planes'));
});
let fileCount = 0;

const OUT = 72;

/** x [tokens, in] -> MatMul -> y over a weight of random codes, in its container. */
async function containerModel(bits: number, inFeatures: number, symmetric: boolean, opset = 21): Promise<OnnxModel> {
  const model = createModel({
    folder: join(folder.path, 'container'),
    inputs: [tensorInput('x', DataType.FLOAT, ['tokens', inFeatures])],
    outputs: [tensorInput('y', DataType.FLOAT, ['tokens', OUT])],
    initializers: [floatInitializer('proj.weight', new Float32Array(inFeatures * OUT), [inFeatures, OUT])],
    nodes: [node('MatMul', ['x', 'proj.weight'], ['y'], { name: '/proj/MatMul' })],
    opsets: { '': opset, 'com.microsoft': 1 },
  });
  const shape = { outFeatures: OUT, inFeatures, bits, groupSize: 32, scaleType: 'float16' } as const;
  const compressed = randomQuantized(shape, symmetric, seededRandom(bits));
  const store = createWeightStore({ folder: model.folder, fileName: `data_${fileCount++}` });
  const [site] = findLinearSites(model);
  await replaceSite(model, { site: site!, compressed, accuracyLevel: 4, activationType: 'float32' }, store);
  await store.close();
  return model;
}

/** The same model with planes, and the bytes that it gives them. */
async function withPlanes(model: OnnxModel): Promise<{ planes: OnnxModel; sizes: Map<string, number> }> {
  const copy = cloneModel(model);
  const store = createWeightStore({ folder: join(folder.path, 'planes'), fileName: `data_${fileCount++}` });
  const sizes = await storePlanes(copy, store);
  await copyRemaining(copy, store, { fold: false });
  await store.close();
  return { planes: { proto: copy.proto, folder: store.folder }, sizes };
}

describe('storePlanes', () => {
  const cases = [3, 5, 6, 7].flatMap(bits =>
    [64, 105].flatMap(inFeatures => [true, false].map(symmetric => ({ bits, inFeatures, symmetric }))),
  );
  it.each(cases)(
    'stores $bits bits in as many, and gives the kernel the same codes ($inFeatures inputs, symmetric $symmetric)',
    async ({ bits, inFeatures, symmetric }) => {
      const model = await containerModel(bits, inFeatures, symmetric);
      const x = randomFloats(3 * inFeatures, seededRandom(9));
      const before = valuesOf((await runModel(model, { x: floatTensor(x, [3, inFeatures]) })).y!);
      const { planes, sizes } = await withPlanes(model);
      const padded = Math.ceil(inFeatures / 32) * 32;
      expect([...sizes.values()]).toEqual([(OUT * padded * bits) / 8]);
      const stored = modelTensors(planes.proto).filter(({ name }) => /_plane\d$/.test(name));
      const storedCodes = stored.reduce((sum, { dims }) => sum + dims.reduce((n, d) => n * Number(d), 1), 0);
      expect(storedCodes).toBe((OUT * padded * bits) / 8);
      expect(valuesOf((await runModel(planes, { x: floatTensor(x, [3, inFeatures]) })).y!)).toEqual(before);
    },
  );

  it.each([2, 4, 8])('leaves %i bits in their container', async bits => {
    const { planes, sizes } = await withPlanes(await containerModel(bits, 64, true));
    expect(sizes.size).toBe(0);
    expect(planes.proto.graph!.node.map(({ opType }) => opType)).toEqual(['Cast', 'MatMulNBits']);
  });

  it('serves an embedding and its tied head', async () => {
    const random = seededRandom(4);
    const model = createModel({
      folder: join(folder.path, 'container'),
      inputs: [tensorInput('input_ids', DataType.INT64, ['batch_size', 'sequence_length'])],
      outputs: [tensorInput('logits', DataType.FLOAT, ['batch_size', 'sequence_length', 41])],
      initializers: [floatInitializer('embed.weight', randomFloats(41 * 64, random), [41, 64])],
      nodes: [
        node('Gather', ['embed.weight', 'input_ids'], ['hidden'], { name: '/embed/Gather' }),
        node('Transpose', ['embed.weight'], ['embed_t'], { attributes: { perm: { ints: [1, 0] } } }),
        node('MatMul', ['hidden', 'embed_t'], ['logits'], { name: '/lm_head/MatMul' }),
      ],
    });
    const shape = { outFeatures: 41, inFeatures: 64, bits: 6, groupSize: 32, scaleType: 'float16' } as const;
    const compressed = randomQuantized(shape, true, random);
    const store = createWeightStore({ folder: model.folder, fileName: `data_${fileCount++}` });
    const [{ gatherNode, tiedHead } = { gatherNode: '', tiedHead: null }] = findEmbeddings(model);
    const replacement = { gatherNode, tiedHead, compressed, accuracyLevel: 0, activationType: 'float32' } as const;
    await replaceEmbedding(model, replacement, store);
    await store.close();
    expect(findStoredCodes(model).map(({ layout, role }) => ({ ...layout, role }))).toEqual([
      { rows: 41, columns: 64, blockSize: 32, bits: 8, role: 'codes' },
    ]);
    const feeds = { input_ids: idTensor([0, 40, 7, 7, 23, 1], [2, 3]) };
    const before = valuesOf((await runModel(model, feeds)).logits!);
    const { planes, sizes } = await withPlanes(model);
    expect([...sizes.values()]).toEqual([(41 * 64 * 6) / 8]);
    expect(valuesOf((await runModel(planes, feeds)).logits!)).toEqual(before);
  });

  it('refuses graphs whose operators cannot add bytes', async () => {
    const model = await containerModel(3, 64, true, 13);
    await expect(withPlanes(model)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      context: { opset: 13, limit: 14 },
    });
  });
});
