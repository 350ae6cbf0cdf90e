import { graphScopes } from './graphScopes.ts';
import type { OnnxModel } from './onnxModel.ts';

/** How often each operator stands in the graph and its sub-graphs, the most frequent first. */
export function countOperators(model: OnnxModel): { name: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { graph } of graphScopes(model)) {
    for (const { opType } of graph.node) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  }
  return [...counts].sort((left, right) => right[1] - left[1]).map(([name, count]) => ({ name, count }));
}
