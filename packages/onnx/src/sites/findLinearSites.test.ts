import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { float16Initializer, floatInitializer, inlineInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { GraphProtoSchema, type NodeProto, type TensorProto } from '../generated/onnx_pb.js';
import { canCapture } from './canCapture.ts';
import { findLinearSites } from './findLinearSites.ts';
import { isQuantized } from './isQuantized.ts';
import { readWeight } from './readWeight.ts';

/** Counts up from 1, so that every element tells its place. */
function counting(rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, index) => index + 1);
}

function modelOf(nodes: NodeProto[], initializers: TensorProto[]) {
  const inputs = [tensorInput('x', DataType.FLOAT, ['tokens', 3])];
  return createModel({ folder: '.', nodes, initializers, inputs, outputs: [tensorInput('y', DataType.FLOAT, [])] });
}

const transpose = (input: string, output: string) =>
  node('Transpose', [input], [output], { attributes: { perm: { ints: [1, 0] } } });
const cast = (input: string, output: string, to: number = DataType.FLOAT) =>
  node('Cast', [input], [output], { attributes: { to: { int: to } } });

describe('findLinearSites', () => {
  it('reads W [out, in] however the weight reaches the product', async () => {
    // W = [[1, 2, 3], [4, 5, 6]], stored as is or transposed.
    const byOutput = floatInitializer('w', counting(2, 3), [2, 3]);
    const byInput = floatInitializer('w', [1, 4, 2, 5, 3, 6], [3, 2]);
    const half = float16Initializer('w', counting(2, 3), [2, 3]);
    const gemm = (transB: number, alpha = 1) =>
      node('Gemm', ['x', 'v'], ['y'], { attributes: { transB: { int: transB }, alpha: { float: alpha } } });
    const constant = node('Constant', [], ['v'], { attributes: { value: { tensor: byInput } } });
    const cases: [NodeProto[], TensorProto[], number, string][] = [
      [[node('MatMul', ['x', 'w'], ['y'])], [byInput], 1, 'w'],
      [[transpose('w', 'v'), node('MatMul', ['x', 'v'], ['y'])], [byOutput], 1, 'w'],
      [[node('Transpose', ['w'], ['v']), node('MatMul', ['x', 'v'], ['y'])], [byOutput], 1, 'w'],
      [[cast('w', 'u'), transpose('u', 'v'), node('MatMul', ['x', 'v'], ['y'])], [half], 1, 'w'],
      [[transpose('w', 'u'), cast('u', 'v'), node('MatMul', ['x', 'v'], ['y'])], [half], 1, 'w'],
      [[node('Identity', ['w'], ['v']), gemm(1)], [byOutput], 1, 'w'],
      [[node('Identity', ['w'], ['v']), gemm(0)], [byInput], 1, 'w'],
      [[transpose('w', 'v'), gemm(1, -2)], [byInput], -2, 'w'],
      [[transpose('w', 'u'), transpose('u', 'v'), gemm(0, 0.5)], [byInput], 0.5, 'w'],
      [[constant, gemm(0)], [], 1, 'v'],
    ];
    for (const [nodes, initializers, alpha, weightName] of cases) {
      const model = modelOf(nodes, initializers);
      const sites = findLinearSites(model);
      const label = nodes.map(({ opType }) => opType).join(' ');
      expect(sites, label).toMatchObject([{ outFeatures: 2, inFeatures: 3, inputName: 'x', weightName, block: null }]);
      const weight = await readWeight(model, sites[0]!);
      expect([...weight.data], label).toEqual([1, 2, 3, 4, 5, 6].map(value => value * alpha));
      expect([weight.rows, weight.columns], label).toEqual([2, 3]);
      expect(canCapture(model, sites[0]!), label).toBe(true);
    }
  });

  it('transposes weights larger than a tile', async () => {
    const model = modelOf([node('MatMul', ['x', 'w'], ['y'])], [floatInitializer('w', counting(67, 45), [67, 45])]);
    const { data } = await readWeight(model, findLinearSites(model)[0]!);
    expect(data.every((value, index) => value === (index % 67) * 45 + Math.floor(index / 67) + 1)).toBe(true);
  });

  it('leaves alone what is no linear weight', () => {
    const matrix = floatInitializer('w', counting(3, 3), [3, 3]);
    const none: [NodeProto[], TensorProto[]][] = [
      [[node('MatMul', ['x', 'x'], ['y'])], []],
      [[node('MatMul', ['w', 'x'], ['y'])], [matrix]],
      [[node('MatMul', ['w', 'w'], ['y'])], [matrix]],
      [[node('Conv', ['x', 'w'], ['y'])], [matrix]],
      [[node('Abs', ['w'], ['v']), node('MatMul', ['x', 'v'], ['y'])], [matrix]],
      [[node('MatMul', ['x', 'w'], ['y'], { domain: 'other' })], [matrix]],
      [[node('MatMul', ['x', 'w'], ['y'])], [floatInitializer('w', counting(3, 3), [1, 3, 3])]],
      [[node('MatMul', ['x', 'w'], ['y'])], [floatInitializer('w', [], [3, 0])]],
      [[node('MatMul', ['x', 'w'], ['y'])], [inlineInitializer('w', DataType.INT32, [3, 3], new Uint8Array(36))]],
      [[cast('w', 'v', DataType.INT32), node('MatMul', ['x', 'v'], ['y'])], [matrix]],
      [[node('Identity', ['b'], ['a']), node('Identity', ['a'], ['b']), node('MatMul', ['x', 'a'], ['y'])], []],
      [[node('MatMul', ['x'], ['y'])], []],
    ];
    for (const [nodes, initializers] of none) expect(findLinearSites(modelOf(nodes, initializers))).toEqual([]);
  });

  it('names sites after nodes that tell something, else after weights, and keeps names unique', () => {
    const weight = (name: string) => floatInitializer(name, counting(3, 3), [3, 3]);
    const named = (name: string, weightName: string) => node('MatMul', ['x', weightName], ['y'], { name });
    const pairs: [string, string, string][] = [
      ['/model/layers.0/attn/q_proj/MatMul', 'a', 'model.layers.0.attn.q_proj'],
      ['/model/layers.1/attn/q_proj/MatMul_1', 'b', 'model.layers.1.attn.q_proj'],
      ['MatMul_12', 'model.layers.2.mlp.up_proj.weight', 'model.layers.2.mlp.up_proj'],
      ['n_MatMul_13', 'model.layers.3.mlp.up_proj.weight_T', 'model.layers.3.mlp.up_proj'],
      ['', 'model.layers.4.mlp.up_proj.MatMul.weight', 'model.layers.4.mlp.up_proj'],
      ['FullyConnect_1', 'transformer.h.5.mlp.c_fc.weight', 'transformer.h.5.mlp.c_fc'],
      ['/lm_head/MatMul', 'onnx::MatMul_99', 'lm_head'],
      ['/lm_head/MatMul', 'onnx::MatMul_100', 'lm_head~2'],
      ['MatMul_7', 'onnx::MatMul_101', 'MatMul_7'],
    ];
    const model = modelOf(
      pairs.map(([nodeName, weightName]) => named(nodeName, weightName)),
      pairs.map(([, weightName]) => weight(weightName)),
    );
    const sites = findLinearSites(model);
    expect(sites.map(({ name }) => name)).toEqual(pairs.map(([, , name]) => name));
    expect(sites.map(({ block }) => block)).toEqual([0, 1, 2, 3, 4, 5, null, null, null]);
  });

  it('counts an encoder and a decoder as one row of blocks', () => {
    const names = ['encoder.layers.0.fc', 'encoder.layers.1.fc', 'decoder.layers.0.fc', 'decoder.layers.1.fc'];
    const nodes = names.map(name => node('MatMul', ['x', name], ['y'], { name: `/${name}/MatMul` }));
    const model = modelOf(
      nodes,
      names.map(name => floatInitializer(name, counting(3, 3), [3, 3])),
    );
    expect(findLinearSites(model).map(({ block }) => block)).toEqual([0, 1, 2, 3]);
  });

  it('groups sites that read one activation, through Identity too', () => {
    const names = ['q', 'k', 'v', 'o'];
    const model = modelOf(
      [
        node('Identity', ['x'], ['x_same']),
        node('MatMul', ['x', 'q'], ['a']),
        node('MatMul', ['x', 'k'], ['b']),
        node('MatMul', ['x_same', 'v'], ['c']),
        node('MatMul', ['c', 'o'], ['y']),
      ],
      names.map(name => floatInitializer(name, counting(3, 3), [3, 3])),
    );
    const sites = findLinearSites(model);
    expect(sites.map(({ sharedInputGroup }) => sharedInputGroup)).toEqual(['x', 'x', 'x', 'c']);
    expect(sites[2]!.inputName).toBe('x_same');
  });

  it('finds sites in sub-graphs and tells that they cannot be captured', async () => {
    const branch = (offset: number) =>
      create(GraphProtoSchema, {
        initializer: [
          floatInitializer(
            'w',
            counting(3, 3).map(value => value + offset),
            [3, 3],
          ),
        ],
        node: [node('MatMul', ['x', 'w'], ['h'], { name: 'product' }), node('MatMul', ['h', 'outer'], ['z'])],
        output: [tensorInput('z', DataType.FLOAT, [])],
      });
    const attributes = { then_branch: { graph: branch(0) }, else_branch: { graph: branch(100) } };
    const model = modelOf(
      [node('If', ['c'], ['y'], { name: 'choice', attributes })],
      [floatInitializer('outer', counting(3, 3), [3, 3])],
    );
    const sites = findLinearSites(model);
    expect(sites.map(({ nodeName, weightName }) => `${nodeName} ${weightName}`)).toEqual([
      'choice.then_branch/product w',
      'choice.then_branch/z outer',
      'choice.else_branch/product w',
      'choice.else_branch/z outer',
    ]);
    expect(new Set(sites.map(({ name }) => name)).size).toBe(4);
    expect((await readWeight(model, sites[0]!)).data[1]).toBe(4);
    expect((await readWeight(model, sites[2]!)).data[1]).toBe(104);
    expect(sites.map(site => canCapture(model, site))).toEqual([false, false, false, false]);
    // Both branches read the outer x: one activation.
    expect(sites[0]!.sharedInputGroup).toBe(sites[2]!.sharedInputGroup);
    expect(sites[1]!.sharedInputGroup).not.toBe(sites[3]!.sharedInputGroup);
  });

  it('refuses weights that are not finite, with their place', async () => {
    const values = counting(2, 3);
    values[4] = Number.NaN;
    values[5] = Number.NEGATIVE_INFINITY;
    const model = modelOf([node('MatMul', ['x', 'w'], ['y'])], [floatInitializer('w', values, [3, 2])]);
    await expect(readWeight(model, findLinearSites(model)[0]!)).rejects.toMatchObject({
      code: 'NON_FINITE_WEIGHT',
      context: { tensor: 'w', count: 2, firstIndex: 4 },
    });
  });

  it('reports a site of another model', async () => {
    const model = modelOf([node('MatMul', ['x', 'w'], ['y'])], [floatInitializer('w', counting(3, 3), [3, 3])]);
    const site = { ...findLinearSites(model)[0]!, nodeName: 'elsewhere' };
    await expect(readWeight(model, site)).rejects.toMatchObject({ code: 'MISSING_TENSOR' });
  });
});

describe('isQuantized', () => {
  const scale = floatInitializer('s', [1], []);
  const codes = inlineInitializer('w', DataType.INT8, [3, 3], new Uint8Array(9));

  it.each(['MatMulNBits', 'QLinearMatMul', 'MatMulInteger', 'DynamicQuantizeLinear', 'GatherBlockQuantized'])(
    'names %s, in sub-graphs and functions too',
    operator => {
      const inner = node(operator, ['x'], ['y']);
      expect(isQuantized(modelOf([inner], []))).toBe(operator);
      const branch = create(GraphProtoSchema, { node: [inner] });
      const nested = node('If', ['c'], ['y'], { attributes: { then_branch: { graph: branch } } });
      expect(isQuantized(modelOf([nested], []))).toBe(operator);
    },
  );

  it('counts DequantizeLinear of a stored tensor and not of an activation', () => {
    expect(isQuantized(modelOf([node('DequantizeLinear', ['w', 's'], ['y'])], [codes, scale]))).toBe(
      'DequantizeLinear',
    );
    expect(isQuantized(modelOf([node('DequantizeLinear', ['x', 's'], ['y'])], [scale]))).toBeNull();
    expect(isQuantized(modelOf([node('MatMul', ['x', 'w'], ['y'])], []))).toBeNull();
  });
});
