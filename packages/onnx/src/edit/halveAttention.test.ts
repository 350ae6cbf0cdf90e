import { expect, it } from 'vitest';
import { createModel } from '../build/createModel.ts';
import { node } from '../build/node.ts';
import { tensorInput } from '../build/tensorInput.ts';
import { DataType } from '../dataType.ts';
import { elementTypeOf } from '../elementTypeOf.ts';
import { halveAttention } from './halveAttention.ts';

/** Values of attention's element type that both blocks read. */
const SHARED = ['q', 'k', 'v', 'cosine', 'sine', 'bias', 'sinks'];

const attention = (block: number) =>
  node(
    'GroupQueryAttention',
    [
      ...['q', 'k', 'v', `past.${block}.key`, `past.${block}.value`, 'lengths', 'total', 'cosine', 'sine'],
      ...['positions', 'bias', 'sinks'],
    ],
    [`mixed.${block}`, `present.${block}.key`, `present.${block}.value`],
    { domain: 'com.microsoft' },
  );

function modelOf(type: number, more: ReturnType<typeof node>[] = []) {
  const cache = (prefix: string) =>
    [0, 1].flatMap(block =>
      ['key', 'value'].map(half => tensorInput(`${prefix}.${block}.${half}`, type, ['batch', 2])),
    );
  return createModel({
    folder: '.',
    nodes: [attention(0), attention(1), ...more],
    initializers: [],
    inputs: [...SHARED.map(name => tensorInput(name, type, ['rows', 4])), ...cache('past')],
    outputs: [tensorInput('mixed.1', type, ['rows', 4]), ...cache('present')],
  });
}

it('casts what attention reads and writes, each value once, and makes the cache float16', () => {
  const model = modelOf(DataType.FLOAT);
  const graph = halveAttention(model).proto.graph!;
  const casts = graph.node.filter(({ opType }) => opType === 'Cast').map(({ input }) => input[0]);
  expect(casts).toEqual([...SHARED, 'mixed.0.quern_half', 'mixed.1.quern_half']);
  const typeOf = new Map([...graph.input, ...graph.output].map(value => [value.name, elementTypeOf(value)]));
  expect(typeOf.get('past.1.value')).toBe(DataType.FLOAT16);
  expect(typeOf.get('present.0.key')).toBe(DataType.FLOAT16);
  expect([typeOf.get('q'), typeOf.get('mixed.1')]).toEqual([DataType.FLOAT, DataType.FLOAT]);
  expect(model.proto.graph!.node).toHaveLength(2);
  expect(elementTypeOf(model.proto.graph!.input.at(-1)!)).toBe(DataType.FLOAT);
});

it.each([
  ['float16', modelOf(DataType.FLOAT16)],
  ['a cache that something else reads', modelOf(DataType.FLOAT, [node('Neg', ['present.1.key'], ['other'])])],
])('leaves %s as it is', (_, model) => {
  expect(halveAttention(model)).toBe(model);
});
