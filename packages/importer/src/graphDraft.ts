import {
  type AttributeValue,
  type DataType,
  int64Initializer,
  type NodeProto,
  node,
  type TensorProto,
} from '@quern/onnx';

/** Operators that ONNX Runtime adds to the standard ones. */
export const CONTRIB_DOMAIN = 'com.microsoft';

/** A graph being written. Values are named after the node that makes them. */
export interface GraphDraft {
  /** Type of activations and of the key-value cache. */
  readonly computeType: typeof DataType.FLOAT | typeof DataType.FLOAT16;
  /** In topological order. */
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  /**
   * Appends a node.
   *
   * @param name the node's, such as `/model/layers.0/attn/q_proj/MatMul`
   * @returns the name of its first output, `<name>/output_0` unless `outputs` says otherwise
   */
  add(name: string, opType: string, inputs: readonly string[], options?: DraftNodeOptions): string;
  /** The name of an int64 constant, `[n]` for a list, a scalar for a number; equal constants are stored once. */
  constant(value: number | readonly number[]): string;
}

export interface DraftNodeOptions {
  readonly domain?: string;
  readonly outputs?: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

/** Starts an empty graph. */
export function graphDraft(computeType: GraphDraft['computeType']): GraphDraft {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const constants = new Set<string>();
  return {
    computeType,
    nodes,
    initializers,
    add(name, opType, inputs, { domain, attributes = {}, outputs = [`${name}/output_0`] } = {}) {
      nodes.push(node(opType, inputs, outputs, { name, attributes, ...(domain === undefined ? {} : { domain }) }));
      return outputs[0]!;
    },
    constant(value) {
      const values = typeof value === 'number' ? [value] : value;
      const name = `/model/constants/INT64/${JSON.stringify(value)}`;
      if (!constants.has(name)) {
        constants.add(name);
        initializers.push(int64Initializer(name, values, typeof value === 'number' ? [] : [values.length]));
      }
      return name;
    },
  };
}
