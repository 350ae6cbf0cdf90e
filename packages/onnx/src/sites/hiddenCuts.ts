import { isStandard } from '../attributeValue.ts';
import { elementTypeOf } from '../elementTypeOf.ts';
import type { GraphProto, NodeProto } from '../generated/onnx_pb.js';
import { type GraphScope, indexDefinitions, subGraphs } from '../graphScopes.ts';
import { isFloatType } from '../read/readFloats.ts';
import type { ScannedProduct } from './scanProducts.ts';
import { traceWeight } from './traceWeight.ts';

/** A place in the main graph where one node's outputs carry everything that later nodes need of the hidden state. */
export interface HiddenCut {
  /** Index of the node after which the cut lies; -1 where a graph input is the hidden state. */
  readonly position: number;
  /** The values that cross: outputs of one node, usually one. */
  readonly names: readonly string[];
}

/** Operators that look up token embeddings, besides Gather from a stored table. */
const EMBEDDING_OPERATORS: ReadonlySet<string> = new Set(['EmbedLayerNormalization', 'GatherBlockQuantized']);

/**
 * Finds the cuts of a model's hidden state: walks the nodes in order and keeps the set of values that were derived from
 * the embedding and are still needed for the main output. Where a single node's outputs are left, the graph can be cut.
 * Masks and rotary tables do not count, being derived from the inputs alone, nor do cache outputs.
 */
export function hiddenCuts(graph: GraphProto, sites: readonly ScannedProduct[]): HiddenCut[] {
  const reads = graph.node.map(readNames);
  const needed = nodesBehind(mainOutput(graph, reads, sites), graph, reads);
  const uses = new Map<string, number>();
  reads.forEach((names, position) => {
    if (needed.has(position)) for (const name of names) uses.set(name, (uses.get(name) ?? 0) + 1);
  });
  const live = sourceValues(graph, sites);
  const everLive = new Set(live);
  const cuts: HiddenCut[] = [];
  const inputs = new Set(graph.input.map(({ name }) => name));
  if (live.size === 1 && [...live].every(name => inputs.has(name))) cuts.push({ position: -1, names: [...live] });
  graph.node.forEach((node, position) => {
    if (!needed.has(position)) return;
    const names = reads[position]!;
    const isHidden = [...names, ...node.output].some(name => everLive.has(name));
    for (const name of names) {
      const left = uses.get(name)! - 1;
      uses.set(name, left);
      if (left === 0) live.delete(name);
    }
    if (!isHidden) return;
    for (const name of node.output) {
      everLive.add(name);
      if ((uses.get(name) ?? 0) > 0) live.add(name);
    }
    const produced = new Set(node.output);
    if (live.size > 0 && [...live].every(name => produced.has(name))) cuts.push({ position, names: [...live] });
  });
  return cuts;
}

/** All names that a node reads, those that its sub-graphs take from outside included. */
function readNames(node: NodeProto): Set<string> {
  const names = new Set(node.input.filter(name => name !== ''));
  for (const { graph } of subGraphs(node)) {
    for (const inner of graph.node) for (const name of readNames(inner)) names.add(name);
    for (const output of graph.output) names.add(output.name);
  }
  return names;
}

/** The graph output that depends on the most sites: logits rather than a block's cache. */
function mainOutput(graph: GraphProto, reads: readonly Set<string>[], sites: readonly ScannedProduct[]): string {
  const siteNodes = new Set(sites.map(({ node }) => node));
  let best = '';
  let bestCount = -1;
  for (const { name } of graph.output) {
    const behind = nodesBehind(name, graph, reads);
    let count = 0;
    for (const position of behind) if (siteNodes.has(graph.node[position]!)) count++;
    if (count > bestCount) {
      best = name;
      bestCount = count;
    }
  }
  return best;
}

/** Positions of the nodes that a value depends on. */
function nodesBehind(value: string, graph: GraphProto, reads: readonly Set<string>[]): Set<number> {
  const wanted = new Set([value]);
  const found = new Set<number>();
  for (let position = graph.node.length - 1; position >= 0; position--) {
    if (!graph.node[position]!.output.some(name => wanted.has(name))) continue;
    found.add(position);
    for (const name of reads[position]!) wanted.add(name);
  }
  return found;
}

/** Where the hidden state begins: token embeddings as wide as the first site, else the float inputs that are no cache. */
function sourceValues(graph: GraphProto, sites: readonly ScannedProduct[]): Set<string> {
  const main: GraphScope = { graph, path: '', parent: null };
  const own = sites.filter(({ scope }) => scope.parent === null);
  const first = own.find(({ inFeatures }) => inFeatures !== null) ?? own[0];
  if (!first) return new Set();
  const index = indexDefinitions([main]);
  const embeddings = graph.node.flatMap(node => {
    const width = gatherWidth(node);
    const embeds = EMBEDDING_OPERATORS.has(node.opType) || (width !== null && width === first.inFeatures);
    return embeds ? [node.output[0]!] : [];
  });
  if (embeddings.length > 0) return new Set(embeddings);
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(
    input => isFloatType(elementTypeOf(input)) && !stored.has(input.name) && !/past|cache|mask|state/i.test(input.name),
  );
  return new Set(inputs.map(({ name }) => name));

  function gatherWidth(node: NodeProto): number | null {
    if (!isStandard(node, 'Gather')) return null;
    const table = traceWeight(index, main, node.input[0] ?? '');
    return table && !table.transposed ? Number(table.tensor.dims[1]) : null;
  }
}
