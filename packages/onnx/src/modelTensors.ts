import type { GraphProto, ModelProto, NodeProto, TensorProto } from './generated/onnx_pb.js';

/** Every tensor that a model stores: initializers, sparse ones, attributes of nodes, in all graphs and functions. */
export function modelTensors(proto: ModelProto): TensorProto[] {
  const tensors: TensorProto[] = [];
  const addGraph = (graph: GraphProto): void => {
    tensors.push(...sparseTensors(graph.sparseInitializer));
    for (const tensor of graph.initializer) tensors.push(tensor);
    for (const node of graph.node) addNode(node);
  };
  const addNode = (node: NodeProto): void => {
    for (const attribute of node.attribute) {
      if (attribute.t) tensors.push(attribute.t);
      tensors.push(...attribute.tensors);
      if (attribute.sparseTensor) tensors.push(...sparseTensors([attribute.sparseTensor]));
      tensors.push(...sparseTensors(attribute.sparseTensors));
      if (attribute.g) addGraph(attribute.g);
      for (const graph of attribute.graphs) addGraph(graph);
    }
  };
  if (proto.graph) addGraph(proto.graph);
  for (const { node } of proto.functions) for (const inner of node) addNode(inner);
  for (const { initialization, algorithm } of proto.trainingInfo) {
    if (initialization) addGraph(initialization);
    if (algorithm) addGraph(algorithm);
  }
  return tensors;
}

function sparseTensors(sparse: readonly { values?: TensorProto | undefined; indices?: TensorProto | undefined }[]) {
  return sparse.flatMap(({ values, indices }) => [values, indices].filter(tensor => tensor !== undefined));
}
