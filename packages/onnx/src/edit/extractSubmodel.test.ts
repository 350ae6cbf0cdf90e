import { describe, expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { floatInitializer } from '../build/inlineInitializer.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { runModel } from '../testing/runModel.ts';
import { floatTensor, valuesOf } from '../testing/tensors.ts';
import { serializeModel } from '../write/serializeModel.ts';
import { extractSubmodel } from './extractSubmodel.ts';

/** x -> +1 -> *x -> +10 -> y, with a side output. */
function chain() {
  return createModel({
    folder: '.',
    inputs: [tensorInput('x', DataType.FLOAT, ['n'])],
    outputs: [tensorInput('y', DataType.FLOAT, ['n']), tensorInput('side', DataType.FLOAT, ['n'])],
    initializers: [floatInitializer('one', [1]), floatInitializer('ten', [10]), floatInitializer('two', [2])],
    nodes: [
      node('Add', ['x', 'one'], ['a']),
      node('Mul', ['a', 'x'], ['b']),
      node('Mul', ['x', 'two'], ['side']),
      node('Add', ['b', 'ten'], ['y']),
    ],
  });
}

describe('extractSubmodel', () => {
  it('computes the outputs from the given values and keeps nothing else', async () => {
    const model = chain();
    const before = serializeModel(model);
    const part = extractSubmodel(model, [tensorInput('a', DataType.FLOAT, ['n'])], ['y']);
    expect(part.proto.graph!.node.map(({ output }) => output[0])).toEqual(['b', 'y']);
    expect(part.proto.graph!.initializer.map(({ name }) => name)).toEqual(['ten']);
    expect(part.proto.graph!.input.map(({ name }) => name)).toEqual(['a', 'x']);
    const feeds = { a: floatTensor(Float32Array.of(3), [1]), x: floatTensor(Float32Array.of(4), [1]) };
    expect(valuesOf((await runModel(part, feeds)).y)).toEqual([22]);
    expect(serializeModel(model)).toEqual(before);
  });

  it('joins parts into the whole', async () => {
    const model = chain();
    const x = floatTensor(Float32Array.of(-2, 5), [2]);
    const first = await runModel(extractSubmodel(model, [], ['a']), { x });
    const rest = extractSubmodel(model, [tensorInput('a', DataType.FLOAT, ['n'])], ['y', 'side']);
    const joined = await runModel(rest, { x, a: first.a! });
    const whole = await runModel(model, { x });
    expect(valuesOf(joined.y)).toEqual(valuesOf(whole.y));
    expect(valuesOf(joined.side)).toEqual([-4, 10]);
  });

  it.each([
    ['SkipSimplifiedLayerNormalization', ['gain'], {}],
    ['SkipLayerNormalization', ['gain', 'shift'], { epsilon: { float: 0.25 } }],
  ])('resumes %s behind its sum', async (operator, vectors, attributes) => {
    const model = createModel({
      folder: '.',
      inputs: [tensorInput('x', DataType.FLOAT, ['n', 4]), tensorInput('skip', DataType.FLOAT, ['n', 4])],
      outputs: [tensorInput('y', DataType.FLOAT, ['n', 4])],
      initializers: [floatInitializer('gain', [1, -2, 3, 0.5]), floatInitializer('shift', [0, 1, 2, -3])],
      nodes: [
        node(operator, ['x', 'skip', ...vectors], ['normed', '', '', 'sum'], { domain: 'com.microsoft', attributes }),
        node('Mul', ['normed', 'sum'], ['y']),
      ],
    });
    const before = serializeModel(model);
    const feeds = {
      x: floatTensor(Float32Array.of(1, 2, 3, -4, 0, 0.5, 2, 1), [2, 4]),
      skip: floatTensor(Float32Array.of(0.5, 1, -1, 2, 3, 0, 0, 1), [2, 4]),
    };
    const whole = await runModel(model, feeds);
    const { sum } = await runModel(extractSubmodel(model, [], ['sum']), feeds);
    const rest = extractSubmodel(model, [tensorInput('sum', DataType.FLOAT, ['n', 4])], ['y']);
    expect(rest.proto.graph!.input.map(({ name }) => name)).toEqual(['sum']);
    const { y } = await runModel(rest, { sum: sum! });
    const expected = valuesOf(whole.y);
    expect(valuesOf(y)).toEqual(expected.map(value => expect.closeTo(value, 5)));
    expect(serializeModel(model)).toEqual(before);
  });

  it('reports a value that the graph does not compute', () => {
    expect(() => extractSubmodel(chain(), [], ['absent'])).toThrow(expect.objectContaining({ code: 'MISSING_TENSOR' }));
  });
});
