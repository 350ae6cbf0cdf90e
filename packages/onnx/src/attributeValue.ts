import type { AttributeProto, NodeProto } from './generated/onnx_pb.js';

/** The attribute of this name, if the node has it. */
export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find(attribute => attribute.name === name);
}

/** An integer attribute, or its default. */
export function intOf(node: NodeProto, name: string, fallback: number): number {
  const found = attributeOf(node, name);
  return found ? Number(found.i) : fallback;
}

/** A float attribute, or its default. */
export function floatOf(node: NodeProto, name: string, fallback: number): number {
  return attributeOf(node, name)?.f ?? fallback;
}

/** Whether the node is this operator of the standard set. */
export function isStandard(node: NodeProto, opType: string): boolean {
  return node.opType === opType && (node.domain === '' || node.domain === 'ai.onnx');
}
