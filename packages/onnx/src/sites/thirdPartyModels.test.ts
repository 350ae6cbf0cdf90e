import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reconstruct } from '@quern/core';
import { InferenceSession } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { OnnxModel } from '../onnxModel.ts';
import { readFloats } from '../read/readFloats.ts';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { runModel } from '../testing/runModel.ts';
import { randomLowRank, randomQuantized, relativeDistance, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { hasSharedOnnx, sharedOnnxFolder } from '../testing/sharedData.ts';
import { idTensor, valuesOf } from '../testing/tensors.ts';
import { copyRemaining } from '../write/copyRemaining.ts';
import { replaceEmbedding } from '../write/replaceEmbedding.ts';
import { replaceSite } from '../write/replaceSite.ts';
import { serializeModel } from '../write/serializeModel.ts';
import { createWeightStore } from '../write/weightStore.ts';
import { writeOnnxModel } from '../write/writeOnnxModel.ts';
import { findBlockCuts } from './findBlockCuts.ts';
import { findEmbeddings } from './findEmbeddings.ts';
import { findLinearSites } from './findLinearSites.ts';
import { isQuantized } from './isQuantized.ts';
import { readWeight } from './readWeight.ts';

const folder = scratchFolder();
const read = (name: string) => readOnnxModel(join(sharedOnnxFolder, `${name}.onnx`));

const MODELS = {
  'stories260K-llama': { sites: 36, blocks: 5, hidden: 64, vocabulary: 512 },
  'babyllama-105-llama': { sites: 36, blocks: 5, hidden: 128, vocabulary: 105 },
  'tinystories-656k-llama': { sites: 15, blocks: 2, hidden: 128, vocabulary: 2048 },
};

/** Takes every telling name away: nodes lose theirs, weights are counted out. */
function anonymize(model: OnnxModel): void {
  const graph = model.proto.graph!;
  const renamed = new Map(graph.initializer.map(({ name }, index) => [name, `w${index}`]));
  for (const tensor of graph.initializer) tensor.name = renamed.get(tensor.name)!;
  for (const node of graph.node) {
    node.name = '';
    node.input = node.input.map(name => renamed.get(name) ?? name);
  }
}

describe.skipIf(!hasSharedOnnx)('third-party models (skipped without ../shared/data/onnx)', () => {
  it.each([...Object.keys(MODELS), 'magika_standard_v3_3', 'silero_vad', 'tiny-random-gpt2-fp32', 'ultraface_rfb_320'])(
    '%s goes through reading and writing without a change',
    async name => {
      const model = await read(name);
      const original = readFileSync(join(sharedOnnxFolder, `${name}.onnx`));
      expect(Buffer.compare(serializeModel(model), original)).toBe(0);
      expect(isQuantized(model)).toBeNull();
    },
  );

  for (const [name, facts] of Object.entries(MODELS)) {
    it(`${name}: sites, blocks, cuts and the tied head, with names and without`, async () => {
      const model = await read(name);
      for (const isAnonymous of [false, true]) {
        if (isAnonymous) anonymize(model);
        const sites = findLinearSites(model);
        expect(sites).toHaveLength(facts.sites);
        expect(sites.map(({ block }) => block)).toEqual(
          Array.from({ length: facts.sites }, (_, site) => (site === facts.sites - 1 ? null : Math.floor(site / 7))),
        );
        const groups = sites.slice(0, 7).map(({ sharedInputGroup }) => sharedInputGroup);
        expect(new Set(groups.slice(0, 3)).size).toBe(1);
        expect(new Set(groups.slice(4, 6)).size).toBe(1);
        expect(new Set(groups).size).toBe(4);
        const cuts = findBlockCuts(model)!;
        expect(cuts.map(({ block }) => block)).toEqual(Array.from({ length: facts.blocks }, (_, block) => block));
        expect(cuts.every(({ inputNames, outputNames }) => inputNames.length === 1 && outputNames.length === 1)).toBe(
          true,
        );
        expect(cuts.slice(1).map(({ inputNames }) => inputNames)).toEqual(
          cuts.slice(0, -1).map(({ outputNames }) => outputNames),
        );
        const [embedding] = findEmbeddings(model);
        expect(embedding).toMatchObject({ vocabularySize: facts.vocabulary, hiddenSize: facts.hidden });
        expect(embedding!.tiedHead).toEqual(sites.at(-1));
      }
    });
  }

  it('a cut carries the hidden state: from it alone the logits follow', async () => {
    const model = await read('stories260K-llama');
    const graph = model.proto.graph!;
    const cut = findBlockCuts(model)![2]!.outputNames[0]!;
    const nodeNames = new Map(graph.node.flatMap((node, position) => node.output.map(name => [name, position])));
    // Every later node reads of the earlier ones the cut, or what depends on no site.
    const sites = new Set(findLinearSites(model).map(({ nodeName }) => nodeName));
    const cutPosition = nodeNames.get(cut)!;
    const fromSites = new Set<string>();
    for (const [position, node] of graph.node.entries()) {
      const depends = sites.has(node.name) || node.input.some(name => fromSites.has(name));
      if (!depends) continue;
      if (position <= cutPosition) for (const name of node.output) fromSites.add(name);
      else expect(node.input.filter(name => fromSites.has(name) && name !== cut)).toEqual([]);
    }
    expect(fromSites.has(cut)).toBe(true);
  });

  it('reads the transposed weights of the Llamas as the export stores them', async () => {
    const model = await read('stories260K-llama');
    const site = findLinearSites(model).find(({ name }) => name === 'model.layers.1.mlp.down_proj')!;
    expect(site).toMatchObject({ outFeatures: 64, inFeatures: 172, block: 1 });
    const weight = await readWeight(model, site);
    const stored = model.proto.graph!.initializer.find(({ name }) => name === site.weightName)!;
    const values = await readFloats(model, stored);
    expect([weight.data[0], weight.data[1], weight.data[172]]).toEqual([values[0], values[64], values[1]]);
  });

  it('refers to tensors inside the file instead of holding them', async () => {
    const path = join(sharedOnnxFolder, 'stories260K-llama.onnx');
    const [kept, referred] = [await readOnnxModel(path), await readOnnxModel(path, { inlineTensors: 'refer' })];
    expect(serializeModel(referred).length).toBeLessThan(100_000);
    for (const site of findLinearSites(kept)) {
      expect(await readWeight(referred, site)).toEqual(await readWeight(kept, site));
    }
    const ids = { input_ids: idTensor([1, 403, 407], [1, 3]) };
    expect(valuesOf((await runModel(referred, ids)).logits)).toEqual(valuesOf((await runModel(kept, ids)).logits));
  });

  it('the GPT-2 with fused operators: sites, and cuts at the sums of its norms', async () => {
    const model = await read('tiny-random-gpt2-fp32');
    const sites = findLinearSites(model);
    expect(sites).toHaveLength(16);
    expect(sites.slice(0, 4).map(({ name, block }) => [name, block])).toEqual([
      ['transformer.h.0.attn.c_proj', 0],
      ['transformer.h.0.mlp.c_fc', 0],
      ['transformer.h.0.mlp.c_proj', 0],
      ['transformer.h.1.attn.c_proj', 1],
    ]);
    expect(sites.at(-1)).toMatchObject({ name: 'lm_head', block: null, outFeatures: 1000, inFeatures: 32 });
    const cuts = findBlockCuts(model)!;
    expect(cuts).toHaveLength(5);
    expect(cuts[0]).toEqual({
      block: 0,
      inputNames: ['EmbedLayerNormalization_0_output', 'EmbedLayerNormalization_0_embedding_sum'],
      outputNames: ['/transformer/h.0/Add_1_output_0'],
    });
  });

  it('models without decoder blocks have no cuts', async () => {
    expect(findBlockCuts(await read('silero_vad'))).toBeNull();
    expect(findBlockCuts(await read('ultraface_rfb_320'))).toBeNull();
    const magika = await read('magika_standard_v3_3');
    expect(findLinearSites(magika).map(({ outFeatures, inFeatures }) => [outFeatures, inFeatures])).toEqual([
      [64, 257],
      [214, 512],
    ]);
    expect(findBlockCuts(magika)).toBeNull();
  });

  it('a Llama of factors keeps its blocks and cuts, with names and without, and computes their products', async () => {
    for (const isAnonymous of [false, true]) {
      const [factors, dense] = [await read('stories260K-llama'), await read('stories260K-llama')];
      if (isAnonymous) for (const model of [factors, dense]) anonymize(model);
      const store = createWeightStore({ folder: folder.path, fileName: `factors_${isAnonymous}` });
      const random = seededRandom(1);
      const before = findLinearSites(factors);
      // Codes are no sites any more: a block without names is then no repeat of the others.
      const quantized = isAnonymous ? null : 4;
      const inBlocks = before.filter(({ block }) => block !== null);
      for (const [index, site] of inBlocks.entries()) {
        const format = { bits: index === quantized ? 4 : 16, groupSize: 32, symmetric: true } as const;
        const compressed = randomLowRank({ ...site, rank: 4 + (index % 9) }, format, random);
        await replaceSite(factors, { accuracyLevel: 0, activationType: 'float32', site, compressed }, store);
        const stored = dense.proto.graph!.initializer.find(({ name }) => name === site.weightName)!;
        const { data } = await reconstruct(compressed);
        const byInput = data.map(
          (_, k) => data[(k % site.outFeatures) * site.inFeatures + Math.floor(k / site.outFeatures)]!,
        );
        stored.rawData = new Uint8Array(byInput.buffer);
      }
      await store.close();
      const found = findLinearSites(factors).map(({ block }) => block);
      expect(found).toEqual(
        before.flatMap(({ block }, index) => (index === quantized ? [] : block === null ? [block] : [block, block])),
      );
      expect(findBlockCuts(factors)).toEqual(findBlockCuts(dense));
      const ids = { input_ids: idTensor([1, 403, 407, 261, 378, 20], [1, 6]) };
      const [actual, expected] = [await runModel({ ...factors, folder: folder.path }, ids), await runModel(dense, ids)];
      expect(relativeDistance(valuesOf(actual.logits), valuesOf(expected.logits))).toBeLessThan(1e-4);
    }
  });

  it('a whole Llama compressed, written, read again and run equals the one with reconstructed weights', async () => {
    const source = await read('stories260K-llama');
    const dense = await read('stories260K-llama');
    const store = createWeightStore({ folder: folder.path, fileName: 'model_q8.onnx_data' });
    const random = seededRandom(1);
    const options = { accuracyLevel: 0, activationType: 'float32' } as const;
    const [embedding] = findEmbeddings(source);
    const quantize = async (rows: number, columns: number, values: Float32Array) => {
      const shape = { outFeatures: rows, inFeatures: columns, bits: 8, groupSize: 32, scaleType: 'float16' } as const;
      const weight = randomQuantized(shape, true, random);
      const groups = Math.ceil(columns / 32);
      const scales = weight.scales.map((_, index) => {
        const row = Math.floor(index / groups) * columns;
        const start = row + (index % groups) * 32;
        const group = values.subarray(start, Math.min(row + columns, start + 32));
        return Math.f16round(Math.max(...group.map(Math.abs), 1e-6) / 126);
      });
      const codes = weight.codes.map((_, index) => {
        const scale = scales[Math.floor(index / columns) * groups + Math.floor((index % columns) / 32)]!;
        return 128 + Math.round(values[index]! / scale);
      });
      return { ...weight, codes, scales };
    };
    const setDense = (name: string, data: Float32Array) => {
      const tensor = dense.proto.graph!.initializer.find(initializer => initializer.name === name)!;
      tensor.rawData = new Uint8Array(data.buffer);
    };
    for (const site of findLinearSites(source)) {
      const weight = await readWeight(source, site);
      const compressed = await quantize(weight.rows, weight.columns, weight.data);
      const { data: restored } = await reconstruct(compressed);
      if (site.block === null) {
        setDense(embedding!.weightName, restored);
        await replaceEmbedding(source, { ...embedding!, ...options, compressed }, store);
        continue;
      }
      const turned = new Float32Array(restored.length);
      restored.forEach((value, index) => {
        turned[(index % site.inFeatures) * site.outFeatures + Math.floor(index / site.inFeatures)] = value;
      });
      setDense(site.weightName, turned);
      await replaceSite(source, { ...options, site, compressed }, store);
    }
    await copyRemaining(source, store, { fold: true });
    await store.close();
    await writeOnnxModel({ proto: source.proto, folder: folder.path }, join(folder.path, 'model_q8.onnx'));
    const written = await readOnnxModel(join(folder.path, 'model_q8.onnx'));
    const ids = { input_ids: idTensor([1, 403, 407, 261, 378, 20], [1, 6]) };
    const compressedLogits = valuesOf((await runModel(written, ids)).logits);
    const denseLogits = valuesOf((await runModel(dense, ids)).logits);
    expect(relativeDistance(compressedLogits, denseLogits)).toBeLessThan(1e-5);
    // From its path, as a client opens it.
    const session = await InferenceSession.create(join(folder.path, 'model_q8.onnx'));
    expect(valuesOf((await session.run(ids)).logits)).toEqual(compressedLogits);
    await session.release();
    expect(isQuantized(written)).toBe('GatherBlockQuantized');
    expect(findEmbeddings(written)).toEqual([]);
  });
});
