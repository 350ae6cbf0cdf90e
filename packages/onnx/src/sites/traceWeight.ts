import { attributeOf, intOf, isStandard } from '../attributeValue.ts';
import type { NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { DefinitionIndex, GraphScope } from '../graphScopes.ts';
import { isFloatType } from '../read/readFloats.ts';

/** A stored float matrix behind an input of a node. */
export interface TracedWeight {
  readonly tensor: TensorProto;
  /** Name of the initializer, or of the Constant node's output. */
  readonly name: string;
  /** Whether the node sees the stored matrix transposed. */
  readonly transposed: boolean;
  /** Element type that the node sees, after casts. */
  readonly dataType: number;
}

/**
 * Follows an input back through Cast, Transpose and Identity, in any order, to the two-dimensional float tensor that
 * feeds it. Null when something else feeds it.
 */
export function traceWeight(index: DefinitionIndex, scope: GraphScope, input: string): TracedWeight | null {
  let name = input;
  let current = scope;
  let transposed = false;
  let castType: number | null = null;
  const visited = new Set<NodeProto>();
  while (name !== '') {
    const definition = index.find(current, name);
    if (!definition || definition.kind === 'input') return null;
    current = definition.scope;
    const tensor = definition.kind === 'initializer' ? definition.tensor : constantTensor(definition.node);
    if (tensor) {
      if (!isFloatType(tensor.dataType) || tensor.dims.length !== 2 || tensor.dims.includes(0n)) return null;
      return { tensor, name, transposed, dataType: castType ?? tensor.dataType };
    }
    if (definition.kind === 'initializer' || visited.has(definition.node)) return null;
    const { node } = definition;
    visited.add(node);
    if (isStandard(node, 'Transpose')) {
      const order = attributeOf(node, 'perm')?.ints;
      if (order && order.length !== 2) return null;
      if (!order || order[0] === 1n) transposed = !transposed;
    } else if (isStandard(node, 'Cast')) {
      const to = intOf(node, 'to', 0);
      if (!isFloatType(to)) return null;
      castType ??= to;
    } else if (!isStandard(node, 'Identity')) return null;
    name = node.input[0] ?? '';
  }
  return null;
}

/** The tensor of a Constant node, null for other nodes. */
export function constantTensor(node: NodeProto): TensorProto | null {
  return isStandard(node, 'Constant') ? (attributeOf(node, 'value')?.t ?? null) : null;
}
