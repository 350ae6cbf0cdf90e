import { createModel, DataType, floatInitializer, node, serializeModel, tensorInput } from '@quern/onnx';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { extendGraph } from './extendGraph.ts';
import { openSession } from './openSession.ts';
import { runSession } from './runSession.ts';

const vector = (name: string) => tensorInput(name, DataType.FLOAT, [2]);

describe('extendGraph', () => {
  it('runs more nodes behind a graph with other outputs, and leaves the model as it was', async () => {
    const model = createModel({
      folder: '.',
      inputs: [vector('x')],
      outputs: [vector('y')],
      initializers: [floatInitializer('one', [1, 1])],
      nodes: [node('Add', ['x', 'one'], ['y'])],
    });
    const before = serializeModel(model);
    const extended = extendGraph(model, {
      inputs: [vector('z')],
      initializers: [floatInitializer('ten', [10, 10])],
      nodes: [node('Mul', ['y', 'ten'], ['tens']), node('Add', ['tens', 'z'], ['w'])],
      outputs: [vector('w')],
    });
    const session = await openSession(extended, { device: 'cpu', threads: 1 });
    const tensor = (...values: number[]) => new Tensor('float32', Float32Array.from(values), [2]);
    const outputs = await runSession(session, { x: tensor(1, 2), z: tensor(5, 6) }, 'the model');
    expect(Object.keys(outputs)).toEqual(['w']);
    expect([...(outputs.w!.data as Float32Array)]).toEqual([25, 36]);
    expect(serializeModel(model)).toEqual(before);
    await session.release();
  });
});
