import { clone, toBinary } from '@bufbuild/protobuf';
import { type NodeProto, NodeProtoSchema } from '../generated/onnx_pb.js';
import type { ProductPlace } from './graphPiece.ts';

/**
 * The node that already computes what `wanted` would, from the same values in the same graph, and can be read where a site is replaced; null
 * where there is none. One that stands behind the replaced node is moved before it: its inputs are there, since the site reads them too.
 */
export function shareProduct(
  wanted: NodeProto,
  { graph, replaced }: Pick<ProductPlace, 'graph' | 'replaced'>,
): NodeProto | null {
  const found = graph.node.find(other => computesSame(other, wanted));
  if (found === undefined) return null;
  const [from, to] = [graph.node.indexOf(found), graph.node.indexOf(replaced)];
  if (from > to) {
    graph.node.splice(from, 1);
    graph.node.splice(to, 0, found);
  }
  return found;
}

function computesSame(one: NodeProto, other: NodeProto): boolean {
  if (one.opType !== other.opType || one.input.length !== other.input.length) return false;
  if (one.input.some((name, index) => name !== other.input[index])) return false;
  return Buffer.from(contentOf(one)).equals(contentOf(other));
}

/** All of a node but its own name and what it gives. */
function contentOf(node: NodeProto): Uint8Array {
  return toBinary(NodeProtoSchema, Object.assign(clone(NodeProtoSchema, node), { name: '', output: [] }));
}
