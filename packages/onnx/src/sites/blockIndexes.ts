import type { OnnxModel } from '../onnxModel.ts';
import { blockInName } from './blockInName.ts';
import { hiddenCuts } from './hiddenCuts.ts';
import type { ScannedProduct } from './scanProducts.ts';

/** The decoder block of every site, null outside the blocks: from names where any of them tells, else from structure. */
export function blockIndexes(model: OnnxModel, sites: readonly ScannedProduct[]): (number | null)[] {
  const named = blocksFromNames(sites);
  return named.some(block => block !== null) ? named : blocksFromStructure(model, sites);
}

function blocksFromNames(sites: readonly ScannedProduct[]): (number | null)[] {
  const found = sites.map(({ node, weight }) => {
    // Not the input's name: a head often reads a value that is named after the last block.
    const texts = [node.name, weight.name, node.output[0] ?? ''];
    return texts.map(blockInName).find(block => block !== null) ?? null;
  });
  // The stack that comes later in the graph counts on.
  const sizes = new Map<string, number>();
  for (const block of found) {
    if (block) sizes.set(block.stack, Math.max(sizes.get(block.stack) ?? 0, block.index + 1));
  }
  const offsets = new Map<string, number>();
  let total = 0;
  for (const [stack, size] of sizes) {
    offsets.set(stack, total);
    total += size;
  }
  return found.map(block => block && offsets.get(block.stack)! + block.index);
}

interface Segment {
  readonly sites: number[];
  /** Shapes of the weights; a product of factors counts as one weight. */
  readonly shapes: string[];
}

/**
 * Cuts the graph where the hidden state is a single value and looks for the shortest run of segments that repeats with
 * the same weight shapes; each repeat is a block.
 */
function blocksFromStructure(model: OnnxModel, sites: readonly ScannedProduct[]): (number | null)[] {
  const blocks: (number | null)[] = sites.map(() => null);
  const segments = cutIntoSegments(model, sites);
  const repeat = longestRepeat(segments.map(({ shapes }) => shapes.join(' ')));
  if (!repeat) return blocks;
  const { start, period, length } = repeat;
  const weightsPerBlock = segments.slice(start, start + period).reduce((sum, { shapes }) => sum + shapes.length, 0);
  // A stack of plain dense layers is no decoder.
  if (weightsPerBlock < 2) return blocks;
  for (let offset = 0; offset < length; offset++) {
    for (const site of segments[start + offset]!.sites) blocks[site] = Math.floor(offset / period);
  }
  return blocks;
}

function cutIntoSegments(model: OnnxModel, sites: readonly ScannedProduct[]): Segment[] {
  const graph = model.proto.graph;
  if (!graph) return [];
  const positions = new Map(graph.node.map((node, position) => [node, position]));
  const cutPositions = hiddenCuts(graph, sites).map(({ position }) => position);
  const groups = new Map<number, number[]>();
  const { firsts, isFollowed } = factorChains(sites);
  sites.forEach(({ scope }, site) => {
    if (scope.parent !== null) return;
    const position = positions.get(sites[firsts[site]!]!.node)!;
    const segment = cutPositions.filter(cut => cut < position).length;
    const members = groups.get(segment);
    if (members) members.push(site);
    else groups.set(segment, [site]);
  });
  return [...groups.values()].map(members => {
    const lasts = members.filter(site => !isFollowed.has(site));
    const shapes = lasts.map(site => `${sites[site]!.outFeatures}x${sites[firsts[site]!]!.inFeatures}`);
    return { sites: members, shapes: shapes.sort() };
  });
}

interface FactorChains {
  /** For every site the first of the products that lead to it without a node between, itself where there is none. */
  readonly firsts: readonly number[];
  /** Sites whose product another site multiplies on. */
  readonly isFollowed: ReadonlySet<number>;
}

/** The factors of a low-rank weight belong together, and their ranks tell no block from another. */
function factorChains(sites: readonly ScannedProduct[]): FactorChains {
  const products = new Map(sites.map(({ scope, node }, site) => [`${scope.path}${node.output[0]}`, site]));
  const firsts: number[] = [];
  const isFollowed = new Set<number>();
  sites.forEach(({ scope, inputKey }, site) => {
    const before = products.get(inputKey);
    const follows = before !== undefined && before < site && sites[before]!.scope === scope;
    firsts.push(follows ? firsts[before]! : site);
    if (follows) isFollowed.add(before);
  });
  return { firsts, isFollowed };
}

/** The repeat that covers the most of the sequence; the shortest period among equals. At least two repeats. */
function longestRepeat(signatures: readonly string[]): { start: number; period: number; length: number } | null {
  let best: { start: number; period: number; length: number } | null = null;
  for (let period = 1; period * 2 <= signatures.length; period++) {
    for (let start = 0; start + 2 * period <= signatures.length; start++) {
      let end = start + period;
      while (end < signatures.length && signatures[end] === signatures[end - period]) end++;
      const length = Math.floor((end - start) / period) * period;
      if (length >= 2 * period && length > (best?.length ?? 0)) best = { start, period, length };
    }
  }
  return best;
}
