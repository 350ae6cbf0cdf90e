import { isStandard } from '../attributeValue.ts';
import type { GraphProto, NodeProto } from '../generated/onnx_pb.js';
import { tensorSize } from '../read/tensorSize.ts';

const ALONE = ['Cast', 'Identity', 'Tanh'];
const BY_NUMBER = ['Mul', 'Div'];

/**
 * Whether a node computes each entry from the same entry of its first input alone, as what follows the product of a head does: casts,
 * a factor or a divisor, a bound by tanh.
 */
export function isEntrywise(graph: GraphProto, node: NodeProto): boolean {
  if (ALONE.some(operator => isStandard(node, operator))) return true;
  if (!BY_NUMBER.some(operator => isStandard(node, operator))) return false;
  const other = graph.initializer.find(({ name }) => name === node.input[1]);
  return other !== undefined && tensorSize(other).elementCount === 1;
}
