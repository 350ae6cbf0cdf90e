import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type TensorProto,
} from '../generated/onnx_pb.js';

/** The value of a node's attribute; the key tells the type: `{ int: 8 }` and `{ float: 8 }` differ. */
export type AttributeValue =
  | { readonly int: number | bigint }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly tensor: TensorProto }
  | { readonly graph: GraphProto }
  | { readonly ints: readonly (number | bigint)[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] };

const UTF8 = new TextEncoder();

/** Builds one attribute of a node. Integers must be whole numbers. */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  if ('int' in value) return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value.int) });
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  if ('string' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: UTF8.encode(value.string) });
  if ('tensor' in value) return create(AttributeProtoSchema, { name, type: AttributeType.TENSOR, t: value.tensor });
  if ('graph' in value) return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: value.graph });
  if ('ints' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.ints.map(BigInt) });
  if ('floats' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOATS, floats: [...value.floats] });
  const strings = value.strings.map(text => UTF8.encode(text));
  return create(AttributeProtoSchema, { name, type: AttributeType.STRINGS, strings });
}
