import {
  copyMessage,
  type GraphProto,
  type NodeProto,
  type OnnxModel,
  type TensorProto,
  type ValueInfoProto,
} from '@quern/onnx';

/** What is put behind a graph. */
export interface GraphExtension {
  readonly nodes?: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  /**
   * Replace the graph's own outputs; what only those needed is then not computed. An output that a needed node computes beside
   * others stays: without it ONNX Runtime may give the cache of an attention the buffer of its input, which has another size.
   */
  readonly outputs: readonly ValueInfoProto[];
}

/**
 * A copy of the header with more nodes behind the graph and other outputs.
 *
 * The model itself is not modified; both share every tensor, so the cost is one array of nodes, not one model.
 */
export function extendGraph(model: OnnxModel, extension: GraphExtension): OnnxModel {
  const graph = model.proto.graph;
  if (!graph) return model;
  const extended = copyMessage(graph, {
    node: [...graph.node, ...(extension.nodes ?? [])],
    input: [...graph.input, ...(extension.inputs ?? [])],
    initializer: [...graph.initializer, ...(extension.initializers ?? [])],
    output: [...extension.outputs, ...byProducts(graph)],
  });
  return { proto: copyMessage(model.proto, { graph: extended }), folder: model.folder };
}

/** Outputs of nodes that have another output which the graph reads. */
function byProducts(graph: GraphProto): ValueInfoProto[] {
  const read = new Set(graph.node.flatMap(node => node.input));
  const shared = new Set(
    graph.node.filter(node => node.output.some(name => read.has(name))).flatMap(node => node.output),
  );
  return graph.output.filter(({ name }) => shared.has(name) && !read.has(name));
}
