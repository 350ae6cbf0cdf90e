import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { type LinearSite, type LowRankWeight, reconstruct, storageBits } from '@quern/core';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { extractSubmodel } from '../edit/extractSubmodel.ts';
import { GraphProtoSchema } from '../generated/onnx_pb.js';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { readOnnxModel } from '../read/readOnnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { runModel } from '../testing/runModel.ts';
import {
  denseProduct,
  type FactorFormat,
  randomDictionary,
  randomFactor,
  randomFloats,
  relativeDistance,
  seededRandom,
} from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import type { KernelOptions } from './graphPiece.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';
import { writeOnnxModel } from './writeOnnxModel.ts';

const folder = scratchFolder();
let fileCount = 0;

const EXACT: KernelOptions = { accuracyLevel: 0, activationType: 'float32' };
const SIZE = 40;
const zeros = (name: string) => floatInitializer(name, new Float32Array(SIZE * SIZE), [SIZE, SIZE]);

/** x -> MatMul -> MatMul -> MatMul -> y: three sites of one shape. */
function chainModel(): OnnxModel {
  const steps = [0, 1, 2].map(block => `layers.${block}.proj`);
  const values = ['x', 'a', 'b', 'y'];
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, ['tokens', SIZE])],
    outputs: [tensorInput('y', DataType.FLOAT, ['tokens', SIZE])],
    initializers: steps.map(step => zeros(`${step}.MatMul.weight`)),
    nodes: steps.map((step, index) =>
      node('MatMul', [values[index]!, `${step}.MatMul.weight`], [values[index + 1]!], {
        name: `/${step.replaceAll('.', '/')}/MatMul`,
      }),
    ),
  });
}

/** Low-rank weights that differ in their left factors only. */
function basisWeights(format: FactorFormat, siteCount: number, rank = 8): LowRankWeight[] {
  const random = seededRandom(format.bits);
  const right = randomFactor(rank, SIZE, format, random);
  return Array.from({ length: siteCount }, () => ({
    kind: 'lowRank',
    outFeatures: SIZE,
    inFeatures: SIZE,
    left: randomFactor(SIZE, rank, format, random),
    right,
    sharedRight: { name: 'basis.proj', siteCount },
  }));
}

/** Replaces sites in the order given; every weight passes a structured clone, as results from workers do. */
async function replaceAll(model: OnnxModel, pairs: readonly [LinearSite, LowRankWeight][], options = EXACT) {
  const store = createWeightStore({ folder: folder.path, fileName: `shared_${fileCount++}` });
  for (const [site, weight] of pairs) {
    await replaceSite(model, { ...options, site, compressed: structuredClone(weight) }, store);
  }
  await store.close();
}

function storedBits(model: OnnxModel): number {
  return 8 * storedBytes(modelTensors(model.proto).filter(({ dataType }) => dataType !== DataType.INT64));
}

/** Whether every node of the main graph reads only what stands before it. */
function isSorted(model: OnnxModel): boolean {
  const graph = model.proto.graph!;
  const known = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
  return graph.node.every(({ input, output }) => {
    const isReady = input.every(name => name === '' || known.has(name));
    for (const name of output) known.add(name);
    return isReady;
  });
}

describe('a shared right factor', () => {
  const formats: FactorFormat[] = [
    { bits: 16, groupSize: 'channel', symmetric: true },
    { bits: 4, groupSize: 16, symmetric: true },
    { bits: 3, groupSize: 'channel', symmetric: false },
  ];
  it.each(formats)('is stored once, whatever the order of the sites: %o', async format => {
    const weights = basisWeights(format, 3);
    const expectedBits = weights.reduce((sum, weight) => sum + storageBits(weight), 0);
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
    ]) {
      const model = chainModel();
      const sites = findLinearSites(model);
      await replaceAll(
        model,
        order.map(index => [sites[index]!, weights[index]!]),
      );
      expect(storedBits(model)).toBeCloseTo(expectedBits, 6);
      expect(isSorted(model)).toBe(true);
      const x = randomFloats(2 * SIZE, seededRandom(1));
      let expected = x;
      for (const weight of weights) expected = Float32Array.from(denseProduct(expected, await reconstruct(weight)));
      const { y } = await runModel(model, { x: floatTensor(x, [2, SIZE]) });
      expect(relativeDistance(valuesOf(y), expected)).toBeLessThan(1e-5);
      const helpers = model.proto.graph!.node.filter(({ output }) => output[0]!.startsWith('basis.proj'));
      // A Cast; per channel also an Expand of the scales and one of the zero points.
      expect(helpers).toHaveLength(format.groupSize === 'channel' && format.bits < 16 ? 3 : 1);
      // The graph can still be cut behind the first site.
      const part = extractSubmodel(model, [tensorInput('a', DataType.FLOAT, ['tokens', SIZE])], ['y']);
      const hidden = Float32Array.from(denseProduct(x, await reconstruct(weights[0]!)));
      const rest = await runModel(part, { a: floatTensor(hidden, [2, SIZE]) });
      expect(relativeDistance(valuesOf(rest.y), expected)).toBeLessThan(1e-5);
    }
  });

  it('is a dictionary of sparse coefficients too', async () => {
    const random = seededRandom(3);
    const shape = { outFeatures: SIZE, inFeatures: SIZE, atomCount: 8 };
    const { right } = randomDictionary(shape, random);
    const weights = [0, 1, 2].map(() => ({
      ...randomDictionary(shape, random),
      right,
      sharedRight: { name: 'basis.proj', siteCount: 3 },
    }));
    const model = chainModel();
    await replaceAll(
      model,
      findLinearSites(model).map((site, index) => [site, weights[index]!]),
    );
    const stored = modelTensors(model.proto).filter(({ name }) => name.startsWith('basis.proj'));
    expect(stored.map(({ name }) => name)).toEqual(['basis.proj_F16']);
    const x = randomFloats(2 * SIZE, seededRandom(1));
    let expected = x;
    for (const weight of weights) expected = Float32Array.from(denseProduct(expected, await reconstruct(weight)));
    const { y } = await runModel(model, { x: floatTensor(x, [2, SIZE]) });
    expect(relativeDistance(valuesOf(y), expected)).toBeLessThan(1e-5);
  });

  it('is a site of every block that reads it, once written and read again', async () => {
    const model = chainModel();
    const weights = basisWeights(formats[0]!, 3);
    const sites = findLinearSites(model);
    await replaceAll(
      model,
      sites.map((site, index) => [site, weights[index]!]),
    );
    await writeOnnxModel(model, join(folder.path, 'shared.onnx'));
    const found = findLinearSites(await readOnnxModel(join(folder.path, 'shared.onnx')));
    expect(found.map(({ name, block, weightName }) => [name, block, weightName])).toEqual(
      [0, 1, 2].flatMap(block => [
        [`layers.${block}.proj.right`, block, 'basis.proj_F16'],
        [`layers.${block}.proj.left`, block, `layers.${block}.proj.left.MatMul.weight_F16`],
      ]),
    );
  });

  it('stands in the main graph when sites in sub-graphs share it', async () => {
    const branch = (name: string) =>
      create(GraphProtoSchema, {
        name,
        initializer: [zeros(`${name}_w`)],
        node: [node('MatMul', ['x', `${name}_w`], ['z'])],
        output: [tensorInput('z', DataType.FLOAT, ['tokens', SIZE])],
      });
    const attributes = { then_branch: { graph: branch('yes') }, else_branch: { graph: branch('no') } };
    const model = createModel({
      folder: folder.path,
      opsets: { '': 17 },
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', SIZE]), tensorInput('flag', DataType.BOOL, [])],
      outputs: [tensorInput('y', DataType.FLOAT, ['tokens', SIZE])],
      nodes: [node('If', ['flag'], ['y'], { name: 'choice', attributes })],
    });
    const weights = basisWeights(formats[2]!, 2);
    await replaceAll(
      model,
      findLinearSites(model).map((site, index) => [site, weights[index]!]),
    );
    expect(storedBits(model)).toBeCloseTo(storageBits(weights[0]!) + storageBits(weights[1]!), 6);
    const x = randomFloats(2 * SIZE, seededRandom(4));
    for (const [choice, weight] of weights.entries()) {
      const flag = new Tensor('bool', [choice === 0], []);
      const { y } = await runModel(model, { x: floatTensor(x, [2, SIZE]), flag });
      expect(relativeDistance(valuesOf(y), denseProduct(x, await reconstruct(weight)))).toBeLessThan(1e-5);
    }
  });

  it('is refused when the name stands for two factors, or for sites of two types', async () => {
    const [first, second] = basisWeights(formats[0]!, 2) as [LowRankWeight, LowRankWeight];
    const other = { ...second, right: randomFactor(8, SIZE, formats[0]!, seededRandom(99)) };
    const model = chainModel();
    const [one, two] = findLinearSites(model) as [LinearSite, LinearSite];
    const clash = replaceAll(model, [
      [one, first],
      [two, other],
    ]);
    await expect(clash).rejects.toMatchObject({ code: 'SOLVER_FAILED' });
    const store = createWeightStore({ folder: folder.path, fileName: 'types' });
    const again = chainModel();
    await replaceSite(again, { ...EXACT, site: one, compressed: first }, store);
    const half = { ...EXACT, activationType: 'float16', site: two, compressed: second } as const;
    await expect(replaceSite(again, half, store)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    await store.abort();
  });
});

it('a shared left factor is stored once, with right ones that are mostly 0', async () => {
  const random = seededRandom(5);
  const shape = { outFeatures: SIZE, inFeatures: SIZE, atomCount: 8 };
  const weights: LowRankWeight[] = [0, 1, 2].map(() => {
    const { left } = randomDictionary({ ...shape, outFeatures: 8, atomCount: SIZE }, random);
    return {
      ...{ kind: 'lowRank', outFeatures: SIZE, inFeatures: SIZE, right: left, sharedRight: null },
      left: randomFactor(SIZE, 8, { bits: 16, groupSize: 'channel', symmetric: true }, seededRandom(6)),
      sharedLeft: { name: 'atoms.proj', siteCount: 3 },
    };
  });
  const model = chainModel();
  await replaceAll(
    model,
    findLinearSites(model).map((site, index) => [site, weights[index]!]),
  );
  expect(storedBits(model)).toBeCloseTo(
    weights.reduce((sum, weight) => sum + storageBits(weight), 0),
    6,
  );
  expect(isSorted(model)).toBe(true);
  const x = randomFloats(2 * SIZE, seededRandom(1));
  let expected = x;
  for (const weight of weights) expected = Float32Array.from(denseProduct(expected, await reconstruct(weight)));
  const { y } = await runModel(model, { x: floatTensor(x, [2, SIZE]) });
  expect(relativeDistance(valuesOf(y), expected)).toBeLessThan(1e-5);
});

describe('sites that read one value', () => {
  /** x -> three MatMuls -> y0, y1, y2. */
  function fanModel(): OnnxModel {
    const steps = [0, 1, 2].map(index => `layers.0.proj_${index}`);
    return createModel({
      folder: folder.path,
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', SIZE])],
      outputs: steps.map((_, index) => tensorInput(`y${index}`, DataType.FLOAT, ['tokens', SIZE])),
      initializers: steps.map(step => zeros(`${step}.MatMul.weight`)),
      nodes: steps.map((step, index) =>
        node('MatMul', ['x', `${step}.MatMul.weight`], [`y${index}`], { name: `/${step.replaceAll('.', '/')}/MatMul` }),
      ),
    });
  }

  it.each([[[0, 1, 2]], [[2, 0, 1]]])('multiply by their shared factor once, replaced in the order %j', async order => {
    for (const bits of [16, 4]) {
      const weights = basisWeights({ bits, groupSize: 'channel', symmetric: true }, 3);
      const model = fanModel();
      const sites = findLinearSites(model);
      await replaceAll(
        model,
        order.map(index => [sites[index]!, weights[index]!]),
      );
      const product = bits === 16 ? 'MatMul' : 'MatMulNBits';
      expect(model.proto.graph!.node.filter(({ opType }) => opType === product)).toHaveLength(4);
      expect(isSorted(model)).toBe(true);
      const x = randomFloats(2 * SIZE, seededRandom(1));
      const outputs = await runModel(model, { x: floatTensor(x, [2, SIZE]) });
      for (const [index, weight] of weights.entries()) {
        const expected = denseProduct(x, await reconstruct(weight));
        expect(relativeDistance(valuesOf(outputs[`y${index}`]), expected)).toBeLessThan(1e-5);
      }
    }
  });
});
