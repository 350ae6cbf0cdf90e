import { afterEach, describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer, int64Initializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { findLinearSites } from '../sites/findLinearSites.ts';
import { runModel } from '../testing/runModel.ts';
import { randomFloats, relativeDistance, seededRandom } from '../testing/sampleWeights.ts';
import { scratchFolder } from '../testing/scratchFolder.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import { foldInputScale } from './foldInputScale.ts';
import { scaleProducer } from './scaleProducer.ts';
import { createWeightStore } from './weightStore.ts';

const folder = scratchFolder();
const random = seededRandom(5);
const [K, N] = [12, 5];
const x = randomFloats(3 * K, random);
const gain = randomFloats(K, random);
const bias = randomFloats(K, random);
const weights = [randomFloats(K * N, random), randomFloats(K * N, random)];
const scale = Float32Array.from({ length: K }, (_, at) => 0.5 + 0.1 * at);
let count = 0;
afterEach(() => void count++);

interface Source {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
}

/** Two products of one input h, their weights divided by the scale where asked. */
function model({ nodes, initializers }: Source, divided: boolean, others: NodeProto[] = []): OnnxModel {
  const rows = weights.map((weight, index) =>
    floatInitializer(`w${index}`, divided ? weight.map((value, at) => value / scale[Math.floor(at / N)]!) : weight, [
      K,
      N,
    ]),
  );
  return createModel({
    folder: folder.path,
    inputs: [tensorInput('x', DataType.FLOAT, ['tokens', K])],
    outputs: [...['y0', 'y1'], ...others.map(other => other.output[0]!)].map(name =>
      tensorInput(name, DataType.FLOAT, ['tokens', name.startsWith('y') ? N : K]),
    ),
    initializers: [...initializers, ...rows],
    nodes: [
      ...nodes,
      node('MatMul', ['h', 'w0'], ['y0'], { name: '/a/MatMul' }),
      node('MatMul', ['h', 'w1'], ['y1'], { name: '/b/MatMul' }),
      ...others,
    ],
  });
}

const epsilon = { epsilon: { float: 1e-5 } };
const sources: Readonly<Record<string, () => Source>> = {
  'an RMS norm': () => ({
    nodes: [node('SimplifiedLayerNormalization', ['x', 'g'], ['h'], { name: 'n', attributes: epsilon })],
    initializers: [floatInitializer('g', gain, [K])],
  }),
  'a norm whose gain is cast': () => ({
    nodes: [
      node('Cast', ['g'], ['g32'], { name: 'c', attributes: { to: { int: DataType.FLOAT } } }),
      node('SimplifiedLayerNormalization', ['x', 'g32'], ['h'], { name: 'n', attributes: epsilon }),
    ],
    initializers: [float16Initializer('g', gain.map(Math.f16round), [K])],
  }),
  'a norm by 1 + its weight, in float32 before float16': () => ({
    nodes: [
      node('Cast', ['g'], ['g32'], { name: 'c', attributes: { to: { int: DataType.FLOAT } } }),
      node('Add', ['g32', 'one'], ['gain'], { name: 'a' }),
      node('SimplifiedLayerNormalization', ['x', 'gain'], ['wide'], { name: 'n', attributes: epsilon }),
      node('Cast', ['wide'], ['h'], { name: 'narrow', attributes: { to: { int: DataType.FLOAT } } }),
    ],
    initializers: [float16Initializer('g', gain.map(Math.f16round), [K]), floatInitializer('one', [1], [])],
  }),
  'a layer norm with bias': () => ({
    nodes: [node('LayerNormalization', ['x', 'g', 'b'], ['h'], { name: 'n', attributes: epsilon })],
    initializers: [floatInitializer('g', gain, [K]), floatInitializer('b', bias, [K])],
  }),
  'a Mul by a vector': () => ({
    nodes: [node('Mul', ['g', 'x'], ['h'], { name: 'n' })],
    initializers: [floatInitializer('g', gain, [K])],
  }),
};

async function outputs(graph: OnnxModel): Promise<Float32Array[]> {
  const values = await runModel(graph, { x: floatTensor(x, [3, K]) });
  return ['y0', 'y1'].map(name => Float32Array.from(valuesOf(values[name]!)));
}

describe('foldInputScale', () => {
  it.each(Object.keys(sources))('leaves the outputs as they were: %s', async name => {
    const expected = await outputs(model(sources[name]!(), false));
    const folded = model(sources[name]!(), true);
    const store = createWeightStore({ folder: folder.path, fileName: `fold_${count}` });
    expect(await foldInputScale(folded, findLinearSites(folded), scale, store)).toBe(true);
    await store.close();
    expect(folded.proto.graph!.initializer.some(tensor => tensor.name === 'g')).toBe(false);
    for (const [index, values] of (await outputs(folded)).entries()) {
      expect(relativeDistance(values, expected[index]!)).toBeLessThan(1e-6);
    }
  });

  it('leaves a graph alone where something else reads the input, or gives it', async () => {
    const store = createWeightStore({ folder: folder.path, fileName: `fold_${count}` });
    const watched = model(sources['an RMS norm']!(), true, [node('Abs', ['h'], ['z'], { name: 'abs' })]);
    const before = watched.proto.graph!.node.map(({ input }) => [...input]);
    expect(await foldInputScale(watched, findLinearSites(watched), scale, store)).toBe(false);
    expect(watched.proto.graph!.node.map(({ input }) => [...input])).toEqual(before);
    // One of two readers is not all of them.
    const both = model(sources['an RMS norm']!(), true);
    expect(await foldInputScale(both, findLinearSites(both).slice(0, 1), scale, store)).toBe(false);
    const added = {
      nodes: [node('Add', ['g', 'b'], ['s'], { name: 'a' })],
      initializers: [floatInitializer('b', bias, [K])],
    };
    const sum = sources['an RMS norm']!();
    sum.nodes[0]!.input[1] = 's';
    const summed = model(
      { nodes: [...added.nodes, ...sum.nodes], initializers: [...added.initializers, ...sum.initializers] },
      true,
    );
    expect(await foldInputScale(summed, findLinearSites(summed), scale, store)).toBe(false);
    const other = model({ nodes: [node('Relu', ['x'], ['h'], { name: 'r' })], initializers: [] }, true);
    expect(await foldInputScale(other, findLinearSites(other), scale, store)).toBe(false);
    await store.abort();
  });
});

describe('scaleProducer', () => {
  const gated = (others: NodeProto[] = []): OnnxModel =>
    createModel({
      folder: folder.path,
      inputs: [tensorInput('x', DataType.FLOAT, ['tokens', K])],
      outputs: [
        tensorInput('y', DataType.FLOAT, ['tokens', N]),
        ...others.map(own => tensorInput(own.output[0]!, 1, ['t', K])),
      ],
      initializers: [
        floatInitializer('gate', randomFloats(K * K, random), [K, K]),
        floatInitializer('up', randomFloats(K * K, random), [K, K]),
        floatInitializer('down', randomFloats(K * N, random), [K, N]),
      ],
      nodes: [
        node('MatMul', ['x', 'gate'], ['a'], { name: '/gate/MatMul' }),
        node('Sigmoid', ['a'], ['s'], { name: '/act' }),
        node('MatMul', ['x', 'up'], ['b'], { name: '/up/MatMul' }),
        node('Mul', ['s', 'b'], ['h'], { name: '/mul' }),
        node('MatMul', ['h', 'down'], ['y'], { name: '/down/MatMul' }),
        ...others,
      ],
    });
  const downOf = (graph: OnnxModel) => findLinearSites(graph).find(site => site.nodeName === '/down/MatMul')!;

  it('finds the product that scales the input of a gated feed-forward', () => {
    const graph = gated();
    expect(scaleProducer(graph, downOf(graph))).toEqual({ nodeName: '/up/MatMul', firstOutput: 0 });
  });

  it.each([
    ['finds the part of a product', [K, K], { nodeName: '/fused/MatMul', firstOutput: K }],
    ['finds no part of another size', [K - 1, K + 1], null],
  ])('%s', (_, sizes, expected) => {
    const graph = gated();
    const { node: nodes, initializer } = graph.proto.graph!;
    initializer.push(
      floatInitializer('both', randomFloats(2 * K * K, random), [K, 2 * K]),
      int64Initializer('sizes', sizes),
    );
    const split = node('Split', ['ab', 'sizes'], ['a', 'b'], { name: '/split', attributes: { axis: { int: -1 } } });
    const own = nodes.filter(({ name }) => name !== '/gate/MatMul' && name !== '/up/MatMul');
    graph.proto.graph!.node = [node('MatMul', ['x', 'both'], ['ab'], { name: '/fused/MatMul' }), split, ...own];
    expect(scaleProducer(graph, downOf(graph))).toEqual(expected);
  });

  it('finds none where the product is read elsewhere', () => {
    const graph = gated([node('Abs', ['b'], ['z'], { name: '/abs' })]);
    expect(scaleProducer(graph, downOf(graph))).toBeNull();
  });
});
