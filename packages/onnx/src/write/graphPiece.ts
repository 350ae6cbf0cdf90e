import type { GraphProto, NodeProto, TensorProto } from '../generated/onnx_pb.js';
import type { FreshNames } from './graphEdit.ts';
import type { WeightStore } from './weightStore.ts';

/** Element type of the activations that a replaced node reads and writes. */
export type ActivationType = 'float32' | 'float16';

/** How the compressed product is computed. */
export interface KernelOptions {
  /** MatMulNBits: 0 computes in float32, 4 rounds activations to 8 bits. */
  readonly accuracyLevel: number;
  readonly activationType: ActivationType;
}

/** Nodes in order, with the tensors that they read. */
export interface GraphPiece {
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
}

/** What one node reads and writes, and how it is called. */
export interface NodePlace {
  readonly input: string;
  readonly output: string;
  readonly nodeName: string;
  readonly names: FreshNames;
  readonly accuracyLevel: number;
}

/** Where a matrix is stored, and the name that its tensors begin with. */
export interface WeightPlace {
  readonly weightName: string;
  readonly names: FreshNames;
  readonly store: WeightStore;
}

/** The product that the nodes compute, y = x W^T, and where its tensors go. */
export interface ProductPlace extends WeightPlace {
  readonly input: string;
  readonly output: string;
  /** Name of the node that is replaced. */
  readonly nodeName: string;
  /** The graph in which the replaced node stands, and the node. */
  readonly graph: GraphProto;
  readonly replaced: NodeProto;
  /** The main graph: what several sites share stands there, where every sub-graph sees it. */
  readonly mainGraph: GraphProto;
}
