import { create } from '@bufbuild/protobuf';
import { CompressionError } from '@quern/core';
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../generated/onnx_pb.js';
import { subGraphs } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { normSum } from './normSum.ts';
import { resumeNorm } from './resumeNorm.ts';

/**
 * The part of a graph that computes `outputs` from `inputs`, as a model of its own.
 *
 * Walks back from the outputs and stops at the given inputs; the graph's own inputs that are reached stay inputs, and so do its
 * own outputs that the kept nodes compute. A fused norm whose sum is given becomes the norm alone. Other nodes, and tensors, are shared with
 * the model, which is not modified. `inputs` are declared values of the graph, with type and shape.
 *
 * @throws CompressionError MISSING_TENSOR when an output cannot be reached.
 */
export function extractSubmodel(
  model: OnnxModel,
  inputs: readonly ValueInfoProto[],
  outputs: readonly string[],
): OnnxModel {
  const graph = model.proto.graph;
  if (!graph) throw new CompressionError('INVALID_ONNX', 'The model has no graph.');
  const given = new Set(inputs.map(input => input.name ?? ''));
  const nodes = graph.node.map(node => (given.has(normSum(node) ?? '') ? resumeNorm(node) : node));
  const producers = new Map<string, NodeProto>();
  for (const node of nodes) for (const output of node.output) if (output) producers.set(output, node);
  const needed = new Set<NodeProto>();
  const names = new Set<string>();
  const pending = [...outputs];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (names.has(name)) continue;
    names.add(name);
    const producer = given.has(name) ? undefined : producers.get(name);
    if (!producer || needed.has(producer)) continue;
    needed.add(producer);
    pending.push(...readNames(producer));
  }
  checkReached(graph, producers, given, outputs);
  const kept: GraphProto = create(GraphProtoSchema, {
    name: graph.name,
    node: nodes.filter(node => needed.has(node)),
    initializer: graph.initializer.filter(tensor => names.has(tensor.name ?? '')),
    sparseInitializer: graph.sparseInitializer.filter(tensor => names.has(tensor.values?.name ?? '')),
    input: [
      ...inputs.filter(input => names.has(input.name ?? '')),
      ...graph.input.filter(input => names.has(input.name ?? '') && !given.has(input.name ?? '')),
    ],
    output: [
      ...outputs.map(name => create(ValueInfoProtoSchema, { name })),
      ...graph.output.filter(({ name }) => !outputs.includes(name) && needed.has(producers.get(name)!)),
    ],
  });
  const { irVersion, opsetImport, functions } = model.proto;
  const proto: ModelProto = create(ModelProtoSchema, {
    ...(irVersion === undefined ? {} : { irVersion }),
    opsetImport,
    functions,
    graph: kept,
  });
  return { proto, folder: model.folder };
}

/** Names a node reads, those that its sub-graphs take from around it included. */
function readNames(node: NodeProto): string[] {
  return [...node.input.filter(name => name !== ''), ...subGraphs(node).flatMap(({ graph }) => freeNames(graph))];
}

function freeNames(graph: GraphProto): string[] {
  const defined = new Set<string>();
  for (const input of graph.input) defined.add(input.name ?? '');
  for (const tensor of graph.initializer) defined.add(tensor.name ?? '');
  for (const node of graph.node) for (const output of node.output) defined.add(output);
  const read = [...graph.node.flatMap(readNames), ...graph.output.map(output => output.name ?? '')];
  return read.filter(name => name !== '' && !defined.has(name));
}

function checkReached(
  graph: GraphProto,
  producers: ReadonlyMap<string, NodeProto>,
  given: ReadonlySet<string>,
  outputs: readonly string[],
): void {
  const declared = new Set([...graph.input, ...graph.initializer].map(value => value.name ?? ''));
  for (const name of outputs) {
    if (producers.has(name) || given.has(name) || declared.has(name)) continue;
    throw new CompressionError('MISSING_TENSOR', `The graph computes no value named "${name}".`, { name });
  }
}
