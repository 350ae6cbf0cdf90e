import { containerLayout, type QuantizedWeight, reconstruct } from '@quern/core';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findEmbeddings } from '../sites/findEmbeddings.ts';
import { openEmbedding } from '../sites/openRows.ts';
import { runModel } from '../testing/runModel.ts';
import {
  denseProduct,
  randomFloats,
  randomQuantized,
  relativeDistance,
  seededRandom,
} from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { idTensor, valuesOf } from '../testing/tensors.ts';
import { replaceEmbedding } from './replaceEmbedding.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
let fileCount = 0;

const VOCABULARY = 41;
const IDS = [0, 40, 7, 7, 23, 1];

/** ids [2, 3] -> Gather -> MatMul by the transposed table: a language model without its blocks. */
function tiedModel(table: Float32Array, hiddenSize: number, halves = false): OnnxModel {
  const initializer = halves ? float16Initializer : floatInitializer;
  const cast = (input: string, output: string) =>
    node('Cast', [input], [output], { attributes: { to: { int: DataType.FLOAT } } });
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('input_ids', DataType.INT64, ['batch_size', 'sequence_length'])],
    outputs: [
      tensorInput('hidden', DataType.FLOAT, ['batch_size', 'sequence_length', hiddenSize]),
      tensorInput('logits', DataType.FLOAT, ['batch_size', 'sequence_length', VOCABULARY]),
    ],
    initializers: [initializer('embed.weight', table, [VOCABULARY, hiddenSize])],
    nodes: [
      node('Gather', ['embed.weight', 'input_ids'], [halves ? 'rows' : 'hidden'], { name: '/embed/Gather' }),
      ...(halves ? [cast('rows', 'hidden'), cast('embed.weight', 'embed32')] : []),
      node('Transpose', [halves ? 'embed32' : 'embed.weight'], ['embed_t'], { attributes: { perm: { ints: [1, 0] } } }),
      node('MatMul', ['hidden', 'embed_t'], ['logits'], { name: '/lm_head/MatMul' }),
    ],
  });
}

async function expectedHidden(weight: QuantizedWeight): Promise<Float32Array> {
  const { data, columns } = await reconstruct(weight);
  return Float32Array.from(IDS.flatMap(id => [...data.subarray(id * columns, (id + 1) * columns)]));
}

describe('replaceEmbedding', () => {
  for (const bits of [2, 3, 4, 5, 8]) {
    it(`looks up the reconstruction and shares its bytes with a tied head: ${bits} bits`, async () => {
      const random = seededRandom(bits);
      for (const hiddenSize of [16, 17, 64, 172]) {
        for (const groupSize of [16, 32, hiddenSize]) {
          for (const symmetric of [true, false]) {
            for (const halves of [false, true]) {
              const shape = {
                outFeatures: VOCABULARY,
                inFeatures: hiddenSize,
                bits,
                groupSize,
                scaleType: 'float16',
              } as const;
              const compressed = randomQuantized(shape, symmetric, random);
              const model = tiedModel(randomFloats(VOCABULARY * hiddenSize, random), hiddenSize, halves);
              const [embedding] = findEmbeddings(model);
              const store = createWeightStore({ folder: folder.path, fileName: `embedding_${fileCount++}` });
              const options = { accuracyLevel: 0, activationType: 'float32' } as const;
              await replaceEmbedding(model, { ...embedding!, ...options, compressed }, store);
              await store.close();
              const label = JSON.stringify({ ...shape, symmetric, halves });
              const { hidden, logits } = await runModel(model, { input_ids: idTensor(IDS, [2, 3]) });
              // A float16 graph rounds the looked-up values before its own Cast.
              const looked = await expectedHidden(compressed);
              const expected = halves ? looked.map(Math.f16round) : looked;
              expect(relativeDistance(valuesOf(hidden), expected), label).toBeLessThan(1e-6);
              const product = denseProduct(expected, await reconstruct(compressed));
              expect(relativeDistance(valuesOf(logits), product), label).toBeLessThan(1e-5);
              const tables = model.proto.graph!.initializer.filter(({ dims }) => dims[0] === BigInt(VOCABULARY));
              expect(tables, label).toHaveLength(symmetric ? 2 : 3);
              const { containerBits, kernelBlock, blockCount } = containerLayout(compressed);
              expect(tables[0]!.dims[1], label).toBe(BigInt((blockCount * kernelBlock * containerBits) / 8));
            }
          }
        }
      }
    });
  }

  it('leaves the head its own weight when asked to', async () => {
    const random = seededRandom(3);
    const table = randomFloats(VOCABULARY * 17, random);
    const model = tiedModel(table, 17);
    const [embedding] = findEmbeddings(model);
    expect(embedding).toMatchObject({ gatherNode: '/embed/Gather', vocabularySize: VOCABULARY, hiddenSize: 17 });
    expect(embedding!.tiedHead).toMatchObject({ nodeName: '/lm_head/MatMul', weightName: 'embed.weight', block: null });
    expect(await openEmbedding(model, embedding!).read(0, VOCABULARY)).toEqual({
      rows: VOCABULARY,
      columns: 17,
      data: table,
    });
    const shape = { outFeatures: VOCABULARY, inFeatures: 17, bits: 8, groupSize: 16, scaleType: 'float16' } as const;
    const compressed = randomQuantized(shape, true, random);
    const store = createWeightStore({ folder: folder.path, fileName: 'untied' });
    const replacement = {
      ...embedding!,
      compressed,
      tiedHead: null,
      accuracyLevel: 0,
      activationType: 'float32',
    } as const;
    await replaceEmbedding(model, replacement, store);
    await store.close();
    expect(model.proto.graph!.initializer.map(({ name }) => name)).toContain('embed.weight');
    const { logits } = await runModel(model, { input_ids: idTensor(IDS, [2, 3]) });
    const product = denseProduct(await expectedHidden(compressed), { rows: VOCABULARY, columns: 17, data: table });
    expect(relativeDistance(valuesOf(logits), product)).toBeLessThan(1e-5);
    await expect(replaceEmbedding(model, replacement, store)).rejects.toMatchObject({ code: 'MISSING_TENSOR' });
  });
});
