import { floatOf, intOf, isStandard } from '../attributeValue.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import { type DefinitionIndex, type GraphScope, graphScopes, indexDefinitions, nodeKey } from '../graphScopes.ts';
import type { OnnxModel } from '../onnxModel.ts';
import { constantTensor, type TracedWeight, traceWeight } from './traceWeight.ts';

/** A MatMul or Gemm with a stored weight, as it stands in the graph. */
export interface ScannedSite {
  readonly scope: GraphScope;
  readonly node: NodeProto;
  readonly weight: TracedWeight;
  /** Whether the stored tensor is `[outFeatures, inFeatures]`; otherwise it is the transpose. */
  readonly storedByOutput: boolean;
  readonly outFeatures: number;
  readonly inFeatures: number;
  /** Gemm's factor on the product; it belongs to the weight. */
  readonly alpha: number;
  /** Gemm with transA: the activation lies as `[inFeatures, tokens]`. */
  readonly inputTransposed: boolean;
  /** Unique per graph: the node's name or first output, with the path of its sub-graph before it. */
  readonly key: string;
  /** The activation's name, with Identity nodes skipped and the path of its graph before it. */
  readonly inputKey: string;
}

/** Finds every linear site in the main graph and its sub-graphs, in graph order. */
export function scanSites(model: OnnxModel): ScannedSite[] {
  const scopes = graphScopes(model);
  const index = indexDefinitions(scopes);
  return scopes.flatMap(scope =>
    scope.graph.node.flatMap(node => {
      const site = scanNode(index, scope, node);
      return site ? [site] : [];
    }),
  );
}

function scanNode(index: DefinitionIndex, scope: GraphScope, node: NodeProto): ScannedSite | null {
  const isGemm = isStandard(node, 'Gemm');
  if (!isGemm && !isStandard(node, 'MatMul')) return null;
  const [input = '', weightInput = ''] = node.input;
  const weight = traceWeight(index, scope, weightInput);
  if (!weight || isStored(index, scope, input)) return null;
  const transB = isGemm && intOf(node, 'transB', 0) !== 0;
  const storedByOutput = weight.transposed !== transB;
  const [rows, columns] = weight.tensor.dims.map(Number) as [number, number];
  return {
    scope,
    node,
    weight,
    storedByOutput,
    outFeatures: storedByOutput ? rows : columns,
    inFeatures: storedByOutput ? columns : rows,
    alpha: isGemm ? floatOf(node, 'alpha', 1) : 1,
    inputTransposed: isGemm && intOf(node, 'transA', 0) !== 0,
    key: `${scope.path}${nodeKey(node)}`,
    inputKey: activationKey(index, scope, input),
  };
}

/** Whether a name is a stored tensor: a product of two constants is no site. */
function isStored(index: DefinitionIndex, scope: GraphScope, name: string): boolean {
  const definition = index.find(scope, name);
  if (definition?.kind === 'initializer') return true;
  return definition?.kind === 'node' && constantTensor(definition.node) !== null;
}

/** The name of what a node reads, with Identity nodes skipped and the path of its graph before it. */
export function activationKey(index: DefinitionIndex, scope: GraphScope, input: string): string {
  let name = input;
  let current = scope;
  const visited = new Set<NodeProto>();
  for (;;) {
    const definition = index.find(current, name);
    if (definition) current = definition.scope;
    if (definition?.kind !== 'node' || !isStandard(definition.node, 'Identity') || visited.has(definition.node)) break;
    visited.add(definition.node);
    name = definition.node.input[0] ?? '';
  }
  return `${current.path}${name}`;
}
