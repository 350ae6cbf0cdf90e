import { isStandard } from '../attributeValue.ts';
import { node } from '../build/node.ts';
import type { NodeProto } from '../generated/onnx_pb.js';
import type { OnnxModel } from '../onnxModel.ts';
import { cloneModel } from '../write/cloneModel.ts';

/**
 * A copy of a model in which rows are looked up first and cast afterwards: Gather(Cast(table), ids) becomes Cast(Gather(table, ids)).
 * The values are the same. A session folds the first form into a float32 table of its own; of the second it reads, from the
 * mapped file, the rows that are asked for.
 */
export function lookUpBeforeCast(model: OnnxModel): OnnxModel {
  const copy = cloneModel(model);
  const graph = copy.proto.graph;
  if (!graph) return copy;
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const results = new Set(graph.output.map(({ name }) => name));
  const casts = new Map(
    graph.node
      .filter(cast => isStandard(cast, 'Cast') && stored.has(cast.input[0] ?? '') && !results.has(cast.output[0]!))
      .map(cast => [cast.output[0]!, cast]),
  );
  const nodes = graph.node.flatMap((gather): NodeProto[] => {
    const cast = isStandard(gather, 'Gather') ? casts.get(gather.input[0] ?? '') : undefined;
    if (!cast) return [gather];
    const [output] = gather.output as [string];
    const rows = `${output}/rows`;
    gather.input[0] = cast.input[0]!;
    gather.output[0] = rows;
    return [
      gather,
      Object.assign(node('Cast', [rows], [output], { name: `${output}/Cast` }), { attribute: cast.attribute }),
    ];
  });
  const read = new Set(nodes.flatMap(({ input }) => input));
  graph.node = nodes.filter(each => !casts.has(each.output[0] ?? '') || read.has(each.output[0]!));
  return copy;
}
