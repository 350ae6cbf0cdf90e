import { create } from '@bufbuild/protobuf';
import type { GraphProto, ModelProto, NodeProto } from '../generated/onnx_pb.js';
import { OperatorSetIdProtoSchema } from '../generated/onnx_pb.js';
import { type GraphScope, graphScopes, subGraphs } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';

/** Gives out names that no value or node of a model has. */
export interface FreshNames {
  /** `wanted`, or `wanted_2`, `wanted_3`, ... */
  take(wanted: string): string;
}

/** Collects every name in use. */
export function freshNames(model: OnnxModel): FreshNames {
  const taken = new Set<string>();
  for (const { graph } of graphScopes(model)) {
    for (const { name } of [...graph.input, ...graph.output, ...graph.initializer]) taken.add(name);
    for (const node of graph.node) for (const name of [node.name, ...node.input, ...node.output]) taken.add(name);
  }
  return {
    take(wanted) {
      let name = wanted;
      for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
      taken.add(name);
      return name;
    },
  };
}

/**
 * Makes a model fit for contrib operators and for initializers that are no inputs: imports com.microsoft, and raises an
 * IR version below 4, where every initializer had to be listed as an input (and would count as overridable above).
 */
export function admitContribNodes(proto: ModelProto): void {
  if (!proto.opsetImport.some(({ domain }) => domain === 'com.microsoft')) {
    proto.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }));
  }
  if (proto.irVersion >= 4n || !proto.graph) return;
  const stored = new Set(proto.graph.initializer.map(({ name }) => name));
  proto.graph.input = proto.graph.input.filter(({ name }) => !stored.has(name));
  proto.irVersion = 4n;
}

/** Version of the standard operator set that a model uses; 1 when it names none. */
export function standardOpset(proto: ModelProto): number {
  const standard = proto.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  return Number(standard?.version ?? 1n);
}

/** Puts nodes in the place of one node. */
export function replaceNode(graph: GraphProto, old: NodeProto, nodes: readonly NodeProto[]): void {
  graph.node.splice(graph.node.indexOf(old), 1, ...nodes);
}

/** Whether any node or graph output reads a value, seen from the graph that defines it. */
export function isUsed(graph: GraphProto, name: string): boolean {
  if (graph.output.some(output => output.name === name)) return true;
  return graph.node.some(
    node => node.input.includes(name) || subGraphs(node).some(({ graph: inner }) => isUsed(inner, name)),
  );
}

/**
 * Removes what defines a value when nothing reads it any more: the initializer, or the node and in turn what only that
 * node read. A weight shared with another node stays.
 */
export function dropUnused(scope: GraphScope, name: string): void {
  const owner = definingScope(scope, name);
  if (!owner || isUsed(owner.graph, name)) return;
  const { graph } = owner;
  const node = graph.node.find(({ output }) => output.includes(name));
  if (node?.output.some(output => output !== '' && isUsed(graph, output))) return;
  const gone = new Set(node ? node.output : [name]);
  graph.node = graph.node.filter(other => other !== node);
  if (!node) {
    graph.initializer = graph.initializer.filter(tensor => tensor.name !== name);
    graph.input = graph.input.filter(input => input.name !== name);
  }
  graph.valueInfo = graph.valueInfo.filter(value => !gone.has(value.name));
  graph.quantizationAnnotation = graph.quantizationAnnotation.filter(({ tensorName }) => !gone.has(tensorName));
  for (const input of node?.input ?? []) if (input !== '') dropUnused(owner, input);
}

/** The scope whose initializer or node gives this name; null for plain graph inputs. */
function definingScope(scope: GraphScope, name: string): GraphScope | null {
  for (let current: GraphScope | null = scope; current; current = current.parent) {
    const { graph } = current;
    const defines =
      graph.initializer.some(tensor => tensor.name === name) || graph.node.some(({ output }) => output.includes(name));
    if (defines) return current;
    if (graph.input.some(input => input.name === name)) return null;
  }
  return null;
}
