import { createModel, DataType, floatInitializer, node, type OnnxModel, tensorInput } from '@quern/onnx';
import { expect, it } from 'vitest';
import { compareOutputs } from './compareOutputs.ts';
import type { Feeds } from './openFeeds.ts';

/** y = factor * x, z = 0, and the index of the larger of y's two columns. */
function scaled(factor: number): OnnxModel {
  return createModel({
    folder: '.',
    inputs: [tensorInput('x', DataType.FLOAT, ['rows', 2])],
    outputs: [
      tensorInput('y', DataType.FLOAT, ['rows', 2]),
      tensorInput('z', DataType.FLOAT, ['rows', 2]),
      tensorInput('best', DataType.INT64, ['rows', 1]),
    ],
    initializers: [floatInitializer('factor', [factor]), floatInitializer('zero', [0])],
    nodes: [
      node('Mul', ['x', 'factor'], ['y']),
      node('Mul', ['x', 'zero'], ['z']),
      node('ArgMax', ['y'], ['best'], { attributes: { axis: { int: 1 } } }),
    ],
  });
}

function feedsOf(...samples: readonly number[][]): Feeds {
  return {
    id: 'samples',
    sha256: '',
    count: samples.length,
    read: async sample => {
      const data = Float32Array.from(samples[sample]!);
      return { x: { type: 'float32', dims: [data.length / 2, 2], data } };
    },
  };
}

it('measures every output over all samples, whatever their shapes', async () => {
  const seen: number[] = [];
  const outputs = await compareOutputs(scaled(1), scaled(-0.5), feedsOf([3, 4], [1, 0, 5, 6]), {
    device: 'cpu',
    onProgress: done => seen.push(done),
  });
  // |-0.5 - 1| / 1; the larger column is 1, 0, 1 before and 0, 1, 0 after: sqrt(3) / sqrt(2)
  expect(outputs).toEqual([
    { name: 'y', relativeDifference: 1.5 },
    { name: 'z', relativeDifference: 0 },
    { name: 'best', relativeDifference: Math.sqrt(1.5) },
  ]);
  expect(seen).toEqual([1, 2]);
});

it('has no relative difference from zero', async () => {
  const [y] = await compareOutputs(scaled(0), scaled(1), feedsOf([3, 4]), { device: 'cpu' });
  expect(y).toEqual({ name: 'y', relativeDifference: null });
});

it('names an output that overflows, and the sample', async () => {
  const comparison = compareOutputs(scaled(1), scaled(1e30), feedsOf([1, 2], [1e30, 2]), { device: 'cpu' });
  await expect(comparison).rejects.toMatchObject({
    code: 'NON_FINITE_ACTIVATION',
    message: expect.stringMatching(/"y" is not finite on sample 2/),
  });
});
