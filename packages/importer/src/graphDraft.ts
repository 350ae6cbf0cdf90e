import {
  type AttributeValue,
  DataType,
  float16Initializer,
  floatInitializer,
  int64Initializer,
  type NodeProto,
  node,
  type TensorProto,
} from '@quern/onnx';

/** Operators that ONNX Runtime adds to the standard ones. */
export const CONTRIB_DOMAIN = 'com.microsoft';

/** Types that activations can have. */
export type FloatType = typeof DataType.FLOAT | typeof DataType.FLOAT16;

/** A graph being written. Values are named after the node that makes them. */
export interface GraphDraft {
  /** Type of activations and of the key-value cache. */
  readonly computeType: FloatType;
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
  /** The name of a scalar of an activation's type. */
  scalar(value: number, type: FloatType): string;
  /** Converts a value between types of activations, by a node `<path>/Cast`; none where they are the same. */
  cast(input: string, path: string, types: { readonly from: FloatType; readonly to: FloatType }): string;
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
  const store = (name: string, make: (name: string) => TensorProto): string => {
    if (!constants.has(name)) initializers.push(make(name));
    constants.add(name);
    return name;
  };
  const draft: GraphDraft = {
    computeType,
    nodes,
    initializers,
    add(name, opType, inputs, { domain, attributes = {}, outputs = [`${name}/output_0`] } = {}) {
      nodes.push(node(opType, inputs, outputs, { name, attributes, ...(domain === undefined ? {} : { domain }) }));
      return outputs[0]!;
    },
    constant(value) {
      const values = typeof value === 'number' ? [value] : value;
      const dims = typeof value === 'number' ? [] : [values.length];
      const name = `/model/constants/INT64/${JSON.stringify(value)}`;
      return store(name, own => int64Initializer(own, values, dims));
    },
    scalar(value, type) {
      const isHalf = type === DataType.FLOAT16;
      const name = `/model/constants/${isHalf ? 'FLOAT16' : 'FLOAT'}/${value}`;
      return store(name, own => (isHalf ? float16Initializer(own, [value], []) : floatInitializer(own, [value], [])));
    },
    cast(input, path, { from, to }) {
      if (from === to) return input;
      return draft.add(`${path}/Cast`, 'Cast', [input], { attributes: { to: { int: to } } });
    },
  };
  return draft;
}
