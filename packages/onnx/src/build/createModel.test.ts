import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DataType } from '../dataType.ts';
import { serializeModel } from '../write/serializeModel.ts';
import { createModel } from './createModel.ts';
import { float16Initializer, floatInitializer, int64Initializer } from './inlineInitializer.ts';
import { node } from './node.ts';
import { tensorInput } from './tensorInput.ts';

describe('createModel', () => {
  it('builds a graph that ONNX Runtime runs, with every kind of attribute it needs', async () => {
    const model = createModel({
      folder: '.',
      inputs: [tensorInput('x', DataType.FLOAT, ['rows', 2])],
      outputs: [tensorInput('y', DataType.FLOAT, ['rows', 2])],
      initializers: [
        floatInitializer('weight', [1, 2, 3, 4], [2, 2]),
        float16Initializer('bias16', [0.5, -0.5]),
        int64Initializer('shape', [-1, 2]),
      ],
      nodes: [
        node('Cast', ['bias16'], ['bias'], { attributes: { to: { int: DataType.FLOAT } } }),
        node('Gemm', ['x', 'weight', 'bias'], ['product'], {
          name: 'gemm',
          attributes: { alpha: { float: 2 }, transB: { int: 1 } },
        }),
        node('Transpose', ['product'], ['turned'], { attributes: { perm: { ints: [1, 0] } } }),
        node('Transpose', ['turned'], ['back'], { attributes: { perm: { ints: [1, 0] } } }),
        node('FusedMatMul', ['back', 'weight'], ['fused'], {
          domain: 'com.microsoft',
          attributes: { alpha: { float: 0.5 }, transA: { int: 0 } },
        }),
        node('Reshape', ['fused', 'shape'], ['y']),
      ],
    });
    const session = await InferenceSession.create(serializeModel(model));
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, -1), [1, 2]) });
    // x weight^T = [-1, -1]; twice that plus the bias: [-1.5, -2.5]; halved and times the weight.
    expect([...(y!.data as Float32Array)]).toEqual([-4.5, -6.5]);
  });

  it('refuses integers with a fraction', () => {
    expect(() => node('Cast', ['a'], ['b'], { attributes: { to: { int: 1.5 } } })).toThrow(RangeError);
  });
});
