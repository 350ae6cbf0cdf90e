import { create } from '@bufbuild/protobuf';
import {
  TensorShapeProto_DimensionSchema as DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../generated/onnx_pb.js';

/** Declares a graph's input, output or inner value. A string among `dims` is a symbolic size such as `batch_size`. */
export function tensorInput(name: string, dataType: number, dims: readonly (number | string)[]): ValueInfoProto {
  const dim = dims.map(size =>
    create(DimensionSchema, {
      value: typeof size === 'string' ? { case: 'dimParam', value: size } : { case: 'dimValue', value: BigInt(size) },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: dataType,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } });
  return create(ValueInfoProtoSchema, { name, type });
}
