import { normSum } from '../edit/normSum.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { blockIndexes } from './blockIndexes.ts';
import { hiddenCuts } from './hiddenCuts.ts';
import { scanProducts } from './scanProducts.ts';

/** The values between which one block of the model lies. */
export interface BlockCut {
  readonly block: number;
  /** Values that carry the hidden state into the block: usually one. Of a fused norm that also gives its sum, the sum. */
  readonly inputNames: readonly string[];
  /** Values that carry it out; the next block's `inputNames`. */
  readonly outputNames: readonly string[];
}

/**
 * For each block the values that carry the hidden state in and out. Everything else that crosses (masks, positions,
 * rotary tables) derives from the graph's inputs alone.
 *
 * @returns null when the graph has no blocks, or they are no chain: their sites interleave, or no single node's outputs
 *   separate them.
 */
export function findBlockCuts(model: OnnxModel): BlockCut[] | null {
  const graph = model.proto.graph;
  if (!graph) return null;
  const sites = scanProducts(model);
  const blocks = blockIndexes(model, sites);
  const positions = new Map(graph.node.map((node, position) => [node, position]));
  const spans = new Map<number, { first: number; last: number }>();
  sites.forEach(({ node, scope }, site) => {
    const block = blocks[site];
    if (block === null || block === undefined || scope.parent !== null) return;
    const position = positions.get(node)!;
    const span = spans.get(block);
    spans.set(block, { first: Math.min(span?.first ?? position, position), last: Math.max(span?.last ?? 0, position) });
  });
  if (spans.size === 0) return null;
  const ordered = [...spans].sort(([left], [right]) => left - right);
  const cuts = hiddenCuts(graph, sites).map(cut => ({ ...cut, names: carriedBy(graph.node[cut.position], cut.names) }));
  const result: BlockCut[] = [];
  let entry = cuts.findLast(({ position }) => position < ordered[0]![1].first);
  for (const [block, { first, last }] of ordered) {
    const exit = cuts.find(({ position }) => position >= last);
    if (!entry || !exit || entry.position >= first) return null;
    result.push({ block, inputNames: entry.names, outputNames: exit.names });
    entry = exit;
  }
  return result;
}

/** The sum of a fused norm stands for all that crosses with it: its gain may change between two runs of the next block. */
function carriedBy(node: NodeProto | undefined, names: readonly string[]): readonly string[] {
  const sum = node && normSum(node);
  const follows = sum && names.every(name => name === sum || name === node.output[0]);
  return follows ? [sum] : names;
}
