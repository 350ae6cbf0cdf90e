import type { GraphNode } from '../onnxruntime/encodeGraph.ts';

/** Nodes of a graph in the order in which they were written. */
export interface GraphWriter {
  readonly nodes: readonly GraphNode[];
  /** Adds a node of one output, whose name it gives: a new one, unless it is given as `name`. */
  add(opType: string, inputs: readonly string[], attributes?: GraphNode['attributes'], name?: string): string;
}

/** Writes graphs like expressions: what a node gives is an input of the next. */
export function createGraphWriter(): GraphWriter {
  const nodes: GraphNode[] = [];
  return {
    nodes,
    add(opType, inputs, attributes = {}, name = `v${nodes.length}`) {
      nodes.push({ opType, inputs, outputs: [name], attributes });
      return name;
    },
  };
}
