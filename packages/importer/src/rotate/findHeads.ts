import { type GraphProto, intOf } from '@quern/onnx';

/** How attention cuts its values. */
export interface HeadShape {
  readonly headSize: number;
  /** Features of all values. */
  readonly valueSize: number;
}

/** The heads of each block, by the block's name such as `model.layers.0`; null for a graph without fused attention. */
export function findHeads(graph: GraphProto): ReadonlyMap<string, HeadShape> | null {
  const heads = new Map<string, HeadShape>();
  for (const node of graph.node) {
    const block = /^\/(model\/layers\.\d+)\/attn\/GroupQueryAttention$/.exec(node.name)?.[1]?.replace('/', '.');
    if (block === undefined) continue;
    const output = graph.initializer.find(tensor => tensor.name === `${block}.attn.o_proj.MatMul.weight`);
    const headCount = intOf(node, 'num_heads', 0);
    const width = Number(output?.dims[1] ?? 0);
    if (headCount === 0 || width === 0 || width % headCount !== 0) return null;
    const headSize = width / headCount;
    heads.set(block, { headSize, valueSize: headSize * intOf(node, 'kv_num_heads', headCount) });
  }
  return heads.size === 0 ? null : heads;
}
