import type { NodeProto } from '../generated/onnx_pb.js';

const FUSED_NORMS: ReadonlySet<string> = new Set(['SkipSimplifiedLayerNormalization', 'SkipLayerNormalization']);

/** The value under which a norm that first adds what it skips also gives the sum; null for all other nodes. */
export function normSum(node: NodeProto): string | null {
  return FUSED_NORMS.has(node.opType) ? node.output[3] || null : null;
}
