import { createModel, DataType, node, tensorInput } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { captureStatistics } from './captureStatistics.ts';
import { openForward } from './openForward.ts';
import { readSums, sumOutputs, withSums } from './withSums.ts';

const WIDTH = 3;
const widths = new Map([['h', WIDTH]]);
/** h = 2 x. */
const model = (opset: number, dataType: number) =>
  createModel({
    folder: '.',
    opsets: { '': opset },
    inputs: [tensorInput('x', dataType, ['batch', 'tokens', WIDTH])],
    outputs: [tensorInput('y', dataType, ['batch', 'tokens', WIDTH])],
    nodes: [node('Add', ['x', 'x'], ['h']), node('Neg', ['h'], ['y'])],
  });

describe('withSums', () => {
  it.each([
    [11, DataType.FLOAT],
    [17, DataType.FLOAT],
    [21, DataType.FLOAT16],
  ])('gives the statistics that the activations themselves give, operator set %i', async (opset, dataType) => {
    const values = Float32Array.from({ length: 2 * 5 * WIDTH }, (_, index) => ((index * 7) % 11) - 5);
    const isFloat = dataType === DataType.FLOAT;
    const data = isFloat ? values : new Uint16Array(Float16Array.from(values).buffer);
    const tensor = { type: isFloat ? 'float32' : 'float16', dims: [2, 5, WIDTH], data } as const;
    const forward = await openForward(withSums(model(opset, dataType), widths), { device: 'cpu' });
    const outputs = await forward.run({ kind: 'tensors', tensors: { x: tensor } }, {}, sumOutputs(widths));
    await forward.close();
    const summed = captureStatistics(widths);
    summed.addSums(readSums(outputs, widths));
    const direct = captureStatistics(widths);
    const doubled = { type: 'float32', dims: [10, WIDTH], data: values.map(value => 2 * value) } as const;
    await direct.add({ h: doubled });
    // Small whole numbers: exact.
    expect(summed.finish()).toEqual(direct.finish());
  });

  it('names an activation whose sums are not finite', () => {
    const capture = captureStatistics(widths);
    const gram = new Float32Array(WIDTH * WIDTH);
    gram[4] = Number.POSITIVE_INFINITY;
    const sums = new Map([['h', { gram, absolute: new Float32Array(WIDTH), tokenCount: 1 }]]);
    expect(() => capture.addSums(sums)).toThrow(/"h" is not finite in channel 1 of 3/);
  });
});
