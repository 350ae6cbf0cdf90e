import { node } from '../build/node.ts';
import { DataType } from '../dataType.ts';
import { elementTypeOf } from '../elementTypeOf.ts';
import type { GraphProto, NodeProto, ValueInfoProto } from '../generated/onnx_pb.js';
import { subGraphs } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { copyMessage } from './copyMessage.ts';

/** Inputs of GroupQueryAttention that have its element type, the cache aside: query, key, value, both rotary tables, bias, sinks. */
const CAST = [0, 1, 2, 7, 8, 10, 11];
const [PAST_KEY, PAST_VALUE] = [3, 4];

/**
 * A copy of the header in which every GroupQueryAttention over a float32 cache works in float16: what it reads and writes is cast, and
 * the cache, an input and an output of the graph, is float16 itself. For providers that have no float32 kernel of it: there the node would
 * run on the processor, and all that it reads would travel.
 *
 * Tensors are shared with the model. One with sub-graphs, or with a cache that something else reads or writes, stays as it is.
 * Cost in accuracy: queries, keys and values are rounded to 11 bits; on small Llamas that moves the perplexity by 3e-6 of itself.
 */
export function halveAttention(model: OnnxModel): OnnxModel {
  const graph = model.proto.graph;
  if (!graph || graph.node.some(each => subGraphs(each).length > 0)) return model;
  const floats = new Set(graph.input.filter(input => elementTypeOf(input) === DataType.FLOAT).map(({ name }) => name));
  const isFloat32 = ({ opType, input }: NodeProto): boolean =>
    opType === 'GroupQueryAttention' && floats.has(input[PAST_KEY] ?? '') && floats.has(input[PAST_VALUE] ?? '');
  const attentions = graph.node.filter(isFloat32);
  const caches = new Set(attentions.flatMap(({ input, output }) => [...input.slice(3, 5), ...output.slice(1, 3)]));
  const others = graph.node.filter(own => !isFloat32(own));
  if (attentions.length === 0 || others.some(own => own.input.some(name => caches.has(name)))) return model;

  const halved = new Set<string>();
  const nodes = graph.node.flatMap(own => {
    if (!isFloat32(own)) return [own];
    const read = own.input.map((name, index) => (name !== '' && CAST.includes(index) ? halfOf(name) : name));
    const casts = own.input.flatMap((name, index) => {
      if (read[index] === name || halved.has(name)) return [];
      halved.add(name);
      return [cast(name, halfOf(name), DataType.FLOAT16)];
    });
    const [mixed, ...presents] = own.output as [string, ...string[]];
    const attention = copyMessage(own, { input: read, output: [halfOf(mixed), ...presents] });
    return [...casts, attention, cast(halfOf(mixed), mixed, DataType.FLOAT)];
  });
  const halve = (value: ValueInfoProto): ValueInfoProto => (caches.has(value.name) ? inHalf(value) : value);
  const changed: GraphProto = copyMessage(graph, {
    node: nodes,
    input: graph.input.map(halve),
    output: graph.output.map(halve),
    valueInfo: graph.valueInfo.filter(({ name }) => !caches.has(name)),
  });
  return { proto: copyMessage(model.proto, { graph: changed }), folder: model.folder };
}

function halfOf(name: string): string {
  return `${name}.quern_half`;
}

function cast(from: string, to: string, type: number): NodeProto {
  return node('Cast', [from], [to], { attributes: { to: { int: type } } });
}

function inHalf(value: ValueInfoProto): ValueInfoProto {
  const kind = value.type?.value;
  if (kind?.case !== 'tensorType') return value;
  const tensor = copyMessage(kind.value, { elemType: DataType.FLOAT16 });
  return copyMessage(value, { type: copyMessage(value.type!, { value: { case: 'tensorType', value: tensor } }) });
}
