import { createModel, DataType, node, tensorInput } from '@quern/onnx';
import { describe, expect, it } from 'vitest';
import { findLogits } from './findLogits.ts';

const { FLOAT, FLOAT16, INT64 } = DataType;
const withOutputs = (...outputs: Parameters<typeof tensorInput>[]) =>
  createModel({
    folder: 'models/m',
    inputs: [tensorInput('x', FLOAT, [1])],
    outputs: outputs.map(output => tensorInput(...output)),
    nodes: [node('Identity', ['x'], ['y'])],
  });

describe('findLogits', () => {
  it('prefers the name, else takes the only floating-point output that is no cache', () => {
    const named = withOutputs(['hidden', FLOAT, ['b', 's', 64]], ['logits', FLOAT16, ['b', 's', 512]]);
    expect(findLogits(named)).toEqual({ name: 'logits', dataType: FLOAT16, vocabularySize: 512 });
    const only = withOutputs(
      ['ids', INT64, ['b']],
      ['scores', FLOAT, ['b', 's', 'v']],
      ['present.0.key', FLOAT, ['b']],
    );
    expect(findLogits(only)).toEqual({ name: 'scores', dataType: FLOAT, vocabularySize: null });
  });

  it('lists the outputs when none or several could be meant', () => {
    const message = /\(outputs: a, b\).*output named "logits"/;
    expect(() => findLogits(withOutputs(['a', FLOAT, ['b']], ['b', FLOAT, ['b']]))).toThrow(message);
    expect(() => findLogits(withOutputs(['a', INT64, ['b']], ['b', INT64, ['b']]))).toThrow(message);
  });
});
