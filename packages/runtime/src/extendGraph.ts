import type { GraphProto, ModelProto, NodeProto, OnnxModel, TensorProto, ValueInfoProto } from '@quern/onnx';

/** What is put behind a graph. */
export interface GraphExtension {
  readonly nodes?: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  /** Replace the graph's own outputs; what only those needed is then not computed. */
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
  const extended: GraphProto = Object.assign(copyMessage(graph), {
    node: [...graph.node, ...(extension.nodes ?? [])],
    input: [...graph.input, ...(extension.inputs ?? [])],
    initializer: [...graph.initializer, ...(extension.initializers ?? [])],
    output: [...extension.outputs],
  });
  const proto: ModelProto = Object.assign(copyMessage(model.proto), { graph: extended });
  return { proto, folder: model.folder };
}

/** Copies one level. Default values of proto2 fields stand on the prototype, which a spread would lose. */
function copyMessage<Message extends object>(message: Message): Message {
  return Object.assign(Object.create(Object.getPrototypeOf(message)), message);
}
