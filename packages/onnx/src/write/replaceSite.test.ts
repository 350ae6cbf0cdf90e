import { create } from '@bufbuild/protobuf';
import { type LinearSite, type QuantizedWeight, reconstruct, storageBits } from '@quern/core';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { GraphProtoSchema } from '../generated/onnx_pb.js';
import { modelTensors } from '../modelTensors.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { runModel } from '../testing/runModel.ts';
import {
  denseProduct,
  randomFloats,
  randomQuantized,
  relativeDistance,
  seededRandom,
} from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { storedBytes } from '../testing/storedBytes.ts';
import { floatTensor, halfTensor, valuesOf } from '../testing/tensors.ts';
import type { ActivationType } from './graphPiece.ts';
import { replaceSite } from './replaceSite.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
let fileCount = 0;

/** x [tokens, in] -> MatMul -> y, the simplest graph with one site. */
function matMulModel(outFeatures: number, inFeatures: number, type: ActivationType = 'float32'): OnnxModel {
  const dataType = type === 'float32' ? DataType.FLOAT : DataType.FLOAT16;
  const initializer = type === 'float32' ? floatInitializer : float16Initializer;
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('x', dataType, ['tokens', inFeatures])],
    outputs: [tensorInput('y', dataType, ['tokens', outFeatures])],
    initializers: [initializer('proj.weight', new Float32Array(inFeatures * outFeatures), [inFeatures, outFeatures])],
    nodes: [node('MatMul', ['x', 'proj.weight'], ['y'], { name: '/proj/MatMul' })],
  });
}

async function replace(
  model: OnnxModel,
  site: LinearSite,
  compressed: QuantizedWeight,
  activationType: ActivationType = 'float32',
): Promise<void> {
  const store = createWeightStore({ folder: folder.path, fileName: `weights_${fileCount++}` });
  await replaceSite(model, { site, compressed, accuracyLevel: 0, activationType }, store);
  await store.close();
}

/** A 4-bit weight with groups of 16. */
function sampleWeight(outFeatures: number, inFeatures: number, seed = 1): QuantizedWeight {
  const shape = { outFeatures, inFeatures, bits: 4, groupSize: 16, scaleType: 'float16' } as const;
  return randomQuantized(shape, false, seededRandom(seed));
}

describe('replaceSite', () => {
  const shapes = [1, 5, 17, 172, 352].flatMap(inFeatures =>
    [1, 3, 105].map(outFeatures => ({ inFeatures, outFeatures })),
  );
  for (const bits of [2, 3, 4, 5, 6, 7, 8]) {
    for (const symmetric of [true, false]) {
      it(`multiplies by the reconstruction: ${bits} bits, ${symmetric ? 'symmetric' : 'zero points'}`, async () => {
        const random = seededRandom(bits);
        for (const { inFeatures, outFeatures } of shapes) {
          for (const groupSize of [16, 32, 64, 128, 256, inFeatures]) {
            const scaleType = groupSize === 64 ? 'float32' : 'float16';
            const shape = { inFeatures, outFeatures, bits, groupSize, scaleType } as const;
            const compressed = randomQuantized(shape, symmetric, random);
            const model = matMulModel(outFeatures, inFeatures);
            await replace(model, findLinearSites(model)[0]!, compressed);
            const activations = randomFloats(2 * inFeatures, random);
            const { y } = await runModel(model, { x: floatTensor(activations, [2, inFeatures]) });
            const expected = denseProduct(activations, await reconstruct(compressed));
            expect(relativeDistance(valuesOf(y), expected), JSON.stringify(shape)).toBeLessThan(1e-5);
            // Shapes for Expand are int64; every other tensor belongs to the weight.
            const weights = model.proto.graph!.initializer.filter(({ dataType }) => dataType !== DataType.INT64);
            expect(8 * storedBytes(weights), JSON.stringify(shape)).toBe(storageBits(compressed));
          }
        }
      });
    }
  }

  it('computes in float16 where the graph does', async () => {
    const random = seededRandom(5);
    for (const [groupSize, symmetric] of [
      [32, true],
      [172, false],
    ] as const) {
      const shape = { inFeatures: 172, outFeatures: 33, bits: 4, groupSize, scaleType: 'float16' } as const;
      const compressed = randomQuantized(shape, symmetric, random);
      const model = matMulModel(33, 172, 'float16');
      await replace(model, findLinearSites(model)[0]!, compressed, 'float16');
      expect(model.proto.graph!.node.some(({ opType }) => opType === 'Cast')).toBe(false);
      const activations = randomFloats(3 * 172, random).map(Math.f16round);
      const { y } = await runModel(model, { x: halfTensor(activations, [3, 172]) });
      expect(relativeDistance(valuesOf(y), denseProduct(activations, await reconstruct(compressed)))).toBeLessThan(
        5e-3,
      );
    }
  });

  it('names what it writes after the node and the weight, and removes the old weight', async () => {
    const model = matMulModel(3, 40);
    await replace(model, findLinearSites(model)[0]!, sampleWeight(3, 40));
    const graph = model.proto.graph!;
    expect(graph.node.at(-1)).toMatchObject({ name: '/proj/MatMul_Q4', opType: 'MatMulNBits', output: ['y'] });
    const names = graph.initializer.map(({ name }) => name);
    expect(names).toEqual(['proj.weight_Q4', 'proj.weight_scales', 'proj.weight_zp']);
    expect(findLinearSites(model)).toEqual([]);
  });

  it('keeps what Gemm does: transA, transB, alpha, beta, bias', async () => {
    const random = seededRandom(9);
    const [tokens, inFeatures, outFeatures] = [4, 17, 5];
    const bias = randomFloats(outFeatures, random);
    for (const transA of [0, 1]) {
      for (const transB of [0, 1]) {
        for (const [alpha, beta] of [
          [1, 1],
          [0.5, -2],
          [2, 0],
        ] as const) {
          const weight = randomFloats(inFeatures * outFeatures, random);
          const weightDims = transB ? [outFeatures, inFeatures] : [inFeatures, outFeatures];
          const inputDims = transA ? [inFeatures, tokens] : [tokens, inFeatures];
          const model = createModel({
            folder: folder.path,
            inputs: [tensorInput('x', DataType.FLOAT, inputDims)],
            outputs: [tensorInput('y', DataType.FLOAT, [tokens, outFeatures])],
            initializers: [floatInitializer('w', weight, weightDims), floatInitializer('bias', bias)],
            nodes: [
              node('Gemm', ['x', 'w', 'bias'], ['y'], {
                attributes: {
                  transA: { int: transA },
                  transB: { int: transB },
                  alpha: { float: alpha },
                  beta: { float: beta },
                },
              }),
            ],
          });
          const compressed = sampleWeight(outFeatures, inFeatures, 3);
          await replace(model, findLinearSites(model)[0]!, compressed);
          const activations = randomFloats(tokens * inFeatures, random);
          const { y } = await runModel(model, { x: floatTensor(activations, inputDims) });
          const rows = transA
            ? Float32Array.from(
                activations,
                (_, k) => activations[(k % inFeatures) * tokens + Math.floor(k / inFeatures)]!,
              )
            : activations;
          const product = denseProduct(rows, await reconstruct(compressed));
          const expected = product.map((value, index) => value + beta * bias[index % outFeatures]!);
          expect(relativeDistance(valuesOf(y), expected), `${transA} ${transB} ${alpha}`).toBeLessThan(1e-5);
          expect(model.proto.graph!.initializer.some(({ name }) => name === 'w')).toBe(false);
          expect(model.proto.graph!.initializer.some(({ name }) => name === 'bias')).toBe(beta !== 0);
        }
      }
    }
  });

  it('removes the nodes between the weight and the product, and keeps a weight that others read', async () => {
    const makeModel = (extraReader: boolean) =>
      createModel({
        folder: folder.path,
        inputs: [tensorInput('x', DataType.FLOAT, ['tokens', 20])],
        outputs: [
          tensorInput('y', DataType.FLOAT, ['tokens', 6]),
          ...(extraReader ? [tensorInput('sum', DataType.FLOAT, [1, 20])] : []),
        ],
        initializers: [float16Initializer('w', new Float32Array(120), [6, 20])],
        nodes: [
          node('Cast', ['w'], ['w32'], { attributes: { to: { int: DataType.FLOAT } } }),
          node('Identity', ['w32'], ['w_same']),
          node('Transpose', ['w_same'], ['w_t'], { attributes: { perm: { ints: [1, 0] } } }),
          node('MatMul', ['x', 'w_t'], ['y']),
          ...(extraReader ? [node('ReduceMax', ['w32'], ['sum'], { attributes: { keepdims: { int: 1 } } })] : []),
        ],
      });
    const alone = makeModel(false);
    await replace(alone, findLinearSites(alone)[0]!, sampleWeight(6, 20));
    expect(alone.proto.graph!.node.map(({ opType }) => opType)).toEqual(['Cast', 'MatMulNBits']);
    expect(alone.proto.graph!.initializer.map(({ name }) => name)).not.toContain('w');
    const shared = makeModel(true);
    await replace(shared, findLinearSites(shared)[0]!, sampleWeight(6, 20));
    expect(shared.proto.graph!.node.map(({ opType }) => opType)).toEqual(['Cast', 'Cast', 'MatMulNBits', 'ReduceMax']);
    expect(shared.proto.graph!.initializer.map(({ name }) => name)).toContain('w');
  });

  it('gives two sites with one weight their own tensors', async () => {
    const model = createModel({
      folder: folder.path,
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', 20])],
      outputs: [tensorInput('y', DataType.FLOAT, ['tokens', 20])],
      initializers: [floatInitializer('w', new Float32Array(400), [20, 20])],
      nodes: [node('MatMul', ['x', 'w'], ['h'], { name: 'one' }), node('MatMul', ['h', 'w'], ['y'], { name: 'two' })],
    });
    const [one, two] = findLinearSites(model) as [LinearSite, LinearSite];
    const [first, second] = [sampleWeight(20, 20, 1), sampleWeight(20, 20, 2)];
    await replace(model, two, second);
    expect(model.proto.graph!.initializer.map(({ name }) => name)).toContain('w');
    await replace(model, one, first);
    expect(model.proto.graph!.initializer.map(({ name }) => name)).not.toContain('w');
    const x = randomFloats(40, seededRandom(4));
    const hidden = Float32Array.from(denseProduct(x, await reconstruct(first)));
    const { y } = await runModel(model, { x: floatTensor(x, [2, 20]) });
    expect(relativeDistance(valuesOf(y), denseProduct(hidden, await reconstruct(second)))).toBeLessThan(1e-5);
  });

  it('works inside sub-graphs', async () => {
    const branch = (name: string, seed: number) =>
      create(GraphProtoSchema, {
        name,
        initializer: [floatInitializer(`${name}_w`, randomFloats(400, seededRandom(seed)), [20, 20])],
        node: [node('MatMul', ['x', `${name}_w`], ['z'])],
        output: [tensorInput('z', DataType.FLOAT, ['tokens', 20])],
      });
    const attributes = { then_branch: { graph: branch('yes', 1) }, else_branch: { graph: branch('no', 2) } };
    const model = createModel({
      folder: folder.path,
      opsets: { '': 17 },
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', 20]), tensorInput('flag', DataType.BOOL, [])],
      outputs: [tensorInput('y', DataType.FLOAT, ['tokens', 20])],
      nodes: [node('If', ['flag'], ['y'], { name: 'choice', attributes })],
    });
    const weights = [sampleWeight(20, 20, 1), sampleWeight(20, 20, 2)] as const;
    const [yes, no] = findLinearSites(model) as [LinearSite, LinearSite];
    await replace(model, yes, weights[0]);
    await replace(model, no, weights[1]);
    const x = randomFloats(40, seededRandom(4));
    for (const [choice, weight] of weights.entries()) {
      const flag = new Tensor('bool', [choice === 0], []);
      const { y } = await runModel(model, { x: floatTensor(x, [2, 20]), flag });
      expect(relativeDistance(valuesOf(y), denseProduct(x, await reconstruct(weight)))).toBeLessThan(1e-5);
    }
    expect(findLinearSites(model)).toEqual([]);
    expect(
      modelTensors(model.proto)
        .map(({ name }) => name)
        .filter(name => name.endsWith('_w')),
    ).toEqual([]);
  });

  it('makes room in models of IR 3, whose initializers are inputs', async () => {
    const model = createModel({
      folder: folder.path,
      irVersion: 3,
      opsets: { '': 9 },
      inputs: [tensorInput('x', DataType.FLOAT, [2, 20]), tensorInput('w', DataType.FLOAT, [20, 6])],
      outputs: [tensorInput('y', DataType.FLOAT, [2, 6])],
      initializers: [floatInitializer('w', new Float32Array(120), [20, 6])],
      nodes: [node('MatMul', ['x', 'w'], ['y'])],
    });
    const compressed = randomQuantized(
      { outFeatures: 6, inFeatures: 20, bits: 8, groupSize: 20, scaleType: 'float16' },
      false,
      seededRandom(2),
    );
    await replace(model, findLinearSites(model)[0]!, compressed);
    expect(model.proto.graph!.input.map(({ name }) => name)).toEqual(['x']);
    const x = randomFloats(40, seededRandom(4));
    const { y } = await runModel(model, { x: floatTensor(x, [2, 20]) });
    expect(relativeDistance(valuesOf(y), denseProduct(x, await reconstruct(compressed)))).toBeLessThan(1e-5);
  });

  it('refuses other shapes, groups without a kernel, codes off the grid, and sites that are gone', async () => {
    const model = matMulModel(3, 40);
    const site = findLinearSites(model)[0]!;
    const weight = sampleWeight(3, 40);
    await expect(replace(model, site, sampleWeight(4, 40))).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const wide = { ...weight, codes: weight.codes.map((code, index) => (index === 7 ? 16 : code)) };
    await expect(replace(model, site, wide)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const short = { ...weight, scales: weight.scales.subarray(1) };
    await expect(replace(model, site, short)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    const odd = randomQuantized({ ...weight, groupSize: 24 }, true, seededRandom(1));
    await expect(replace(model, site, odd)).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    const fullScales = { ...weight, scaleType: 'float32' } as const;
    await expect(replace(model, site, fullScales, 'float16')).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(model.proto.graph!.node.map(({ opType }) => opType)).toEqual(['MatMul']);
    await replace(model, site, weight);
    await expect(replace(model, site, weight)).rejects.toMatchObject({ code: 'MISSING_TENSOR' });
  });
});
